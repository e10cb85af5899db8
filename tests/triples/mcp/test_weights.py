"""Weights as a model reads them."""

from typing import Any

from tests.triples.mcp.conftest import Speaker, make_graph


async def test_a_small_weight_is_not_told_as_0(database: None, model: Speaker) -> None:
    make_graph(("Ulm", "located_in", "Germany", 1e-9), ("Germany", "located_in", "Europe", 1 / 3))
    calls: list[tuple[str, dict[str, Any], str]] = [
        ("describe_schema", {"predicate": "located_in"}, "Ulm\tlocated_in\tGermany\t1e-09"),
        ("query", {"patterns": [["Ulm", "located_in", "?x"]]}, "Germany\t1e-09"),
        ("query", {"patterns": [["Ulm", "located_in", "?x"]], "group_by": ["?x"]}, "Germany\t1\t1e-09"),
        ("paths", {"from": "Ulm", "to": "Germany"}, "1e-09\tUlm -located_in-> Germany"),
        ("explain", {"subject": "Ulm", "predicate": "located_in", "object": "Germany"}, "Germany\t1e-09\tasserted"),
        ("explain", {"subject": "Ulm", "predicate": "located_in", "object": "Europe"}, "Europe\t1.667e-10\trule "),
    ]
    for tool, arguments, line in calls:
        assert line in await model.text(tool, **arguments), tool
    rows = (await model.call("query", patterns=[["?x", "located_in", "Europe"]]))["structuredContent"]["rows"]
    assert rows == [["Germany", 0.333333], ["Ulm", 1.66667e-10]]
