"""Refusals tell a model what to do instead."""

from typing import Any

import pytest

from apikeys import key_cache
from tests.conftest import ChangeSettings
from tests.triples.mcp.conftest import Speaker

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("places")]

JOIN = [["?x", "located_in", "?y"]]
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "query",
        {"patterns": [["?x", "locatd_in", "?y"]]},
        "!No fact has the predicate `locatd_in`. Did you mean `located_in`?",
    ),
    ("query", {"patterns": [["Umm", "located_in", "?y"]]}, "!No fact has the subject `Umm`. Did you mean `Ulm`"),
    ("query", {"patterns": JOIN, "select": ["?z"]}, "!Not valid: `select.0`: ?z is in no pattern"),
    ("query", {"patterns": [*JOIN, ["?a", "born_in", "?b"]]}, "`allow_cross_product`"),
    ("query", {"patterns": [["?x", "p"]]}, "!Not valid: `patterns.0`: must have three places"),
    ("query", {"patterns": JOIN, "k": 0}, "!Not valid: `k`: "),
    ("query", {"pattern": JOIN[0]}, "!query has no argument `pattern`; it has patterns, "),
    ("query", {}, "!Not valid: `patterns`: Field required"),
    ("query", {"patterns": JOIN, "cursor": "0" * 16}, "!Not valid: `cursor`: "),
    ("paths", {"from": "Ulm", "to": "Ulm"}, "!Not valid: `to`: Must be another term than `from`"),
    ("paths", {"from": "Ulm", "to": "Jinjaa"}, "!No fact has the subject `Jinjaa`"),
    (
        "paths",
        {"from": "Ulm", "to": "Jinja", "predicates": ["twin"]},
        "!No fact has the predicate `twin`. Did you mean `twin_of`",
    ),
    (
        "explain",
        {"subject": "Ulm", "predicate": "twin_of", "object": "Europe"},
        "!The names are known, but there is no such fact. See",
    ),
    ("describe_schema", {"predicate": "borm_in"}, "!No fact has the predicate `borm_in`. Did you mean `born_in`?"),
    ("add_facts", {"facts": [{"subject": "a", "predicate": "b"}]}, "!Not valid: `facts.0.object`: Field required"),
    ("add_facts", {"facts": []}, "!Not valid: `facts`: "),
    ("add_facts", {}, "!Not valid: `facts`: "),
]


@pytest.mark.once
@pytest.mark.parametrize(("tool", "arguments", "told"), REFUSED)
async def test_a_refusal_says_what_to_do(model: Speaker, tool: str, arguments: dict[str, Any], told: str) -> None:
    text = await model.text(tool, **arguments)
    assert text.startswith("!")
    assert told in text


@pytest.mark.once
async def test_what_is_not_missed_is_told_too(model: Speaker) -> None:
    text = await model.text("query", patterns=[["?x", "twin_of", "?y"]], absent=[["?x", "locatd_in", "?z"]])
    assert "Ulm\tJinja\t0.75" in text
    assert "No fact has the predicate `locatd_in`. Did you mean `located_in`?" in text


@pytest.mark.once
async def test_an_empty_answer_says_that_the_names_are_known(model: Speaker) -> None:
    text = await model.text("query", patterns=[["?x", "located_in", "?y"], ["?y", "born_in", "?z"]])
    assert text.startswith("No answers. Each name is known")
    assert (await model.text("paths", **{"from": "Einstein", "to": "Europe", "max_length": 1})).startswith("No path of")


@pytest.mark.once
async def test_a_new_predicate_that_is_like_another_is_told(model: Speaker) -> None:
    fact = {"subject": "Bern", "predicate": "locatd_in", "object": "Europe"}
    assert (await model.text("add_facts", facts=[fact])).splitlines() == [
        "1 new fact is stored.",
        "The predicate `locatd_in` is new. If you meant `located_in`, tell the user.",
    ]


async def test_a_question_without_time_is_too_broad(
    model: Speaker, change_settings: ChangeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # There is no time to read the key again, either.
    monkeypatch.setattr(key_cache, "FRESH_SECONDS", 600.0)
    await model.text("query", patterns=JOIN)
    change_settings(query_timeout=1e-9)
    for more in ({}, {"group_by": ["?y"]}):
        text = await model.text("query", patterns=JOIN, **more)
        assert text.startswith("!This is too broad to be answered in time. Narrow it: ")
    text = await model.text("paths", **{"from": "Ulm", "to": "Europe"})
    assert text.startswith("!No path was found in time. Lower max_length")


@pytest.mark.once
async def test_searches_without_a_match_say_how_to_go_on(model: Speaker) -> None:
    assert "describe_schema" in await model.text("search_terms", search="qqqq")
    assert "leave position out" in await model.text("search_terms", search="qqqq", position="predicate")
