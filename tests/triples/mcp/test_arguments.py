"""Arguments as models write them: what a tool takes is what its schema says, and a fault is told to the model."""

from typing import Any

import httpx
import jsonschema
import pytest

from tests.triples.mcp.conftest import Speaker

pytestmark = pytest.mark.usefixtures("places")

CONSTANT = {"term": "?why"}
JOIN = [["?x", "located_in", "?y"]]
# Whether the arguments are valid.
GIVEN: list[tuple[str, dict[str, Any], bool]] = [
    ("search_terms", {"search": "?why"}, True),
    ("search_terms", {"search": CONSTANT}, False),
    ("describe_schema", {"predicate": CONSTANT}, True),
    ("describe_schema", {"predicate": ["located_in"]}, False),
    ("query", {"patterns": [[CONSTANT, None, "?x"]]}, True),
    ("query", {"patterns": [["Ulm", {"term": "located_in"}, "?x"]], "absent": [[CONSTANT, "twin_of", "?x"]]}, True),
    ("query", {"patterns": JOIN, "optional": [[["?y", "located_in", {"text": "Europe"}]]]}, False),
    ("query", {"patterns": [[["Ulm"], None, "?x"]]}, False),
    ("query", {"patterns": [["Ulm", 1, "?x"]]}, False),
    ("paths", {"from": CONSTANT, "to": "Ulm"}, True),
    ("paths", {"from": "Ulm", "to": {"term": "Europe"}, "predicates": [{"term": "located_in"}, "twin_of"]}, True),
    ("paths", {"from": "Ulm", "to": ["Europe"]}, False),
    ("paths", {"from": "Ulm", "to": {}}, False),
    ("paths", {"from": "Ulm", "to": "Europe", "predicates": "located_in"}, False),
    ("paths", {"from": "Ulm", "to": "Europe", "predicates": []}, False),
    ("paths", {"from": "Ulm", "to": "Europe", "predicates": [["located_in"]]}, False),
    ("explain", {"subject": "Ulm", "predicate": {"term": "twin_of"}, "object": CONSTANT}, True),
    ("explain", {"subject": "Ulm", "predicate": "twin_of", "object": 1}, False),
    ("add_facts", {"facts": [{"subject": "?why", "predicate": "twin_of", "object": "Ulm"}]}, True),
    ("add_facts", {"facts": [{"subject": CONSTANT, "predicate": "twin_of", "object": "Ulm"}]}, False),
]


@pytest.mark.parametrize(("tool", "arguments", "valid"), GIVEN)
async def test_a_tool_takes_what_its_schema_says(
    model: Speaker, tool: str, arguments: dict[str, Any], *, valid: bool
) -> None:
    [schema] = [one["inputSchema"] for one in (await model.result("tools/list"))["tools"] if one["name"] == tool]
    assert jsonschema.Draft202012Validator(schema).is_valid(arguments) == valid
    assert (await model.text(tool, **arguments)).startswith("!Not valid: ") != valid


async def test_a_name_that_begins_with_a_question_mark_is_an_object_wherever_it_is_asked_for(model: Speaker) -> None:
    fact = {"subject": "Ulm", "predicate": "?how", "object": "?why"}
    assert (await model.text("add_facts", facts=[fact])).startswith("1 new fact")
    how = {"term": "?how"}
    assert "\tUlm\t?how\t?why\t" in await model.text("explain", subject="Ulm", predicate=how, object=CONSTANT)
    assert "Ulm\t?how\t?why" in await model.text("describe_schema", predicate=how)
    assert "Ulm -?how-> ?why" in await model.text("paths", **{"from": "Ulm", "to": CONSTANT, "predicates": [how]})
    for tool, arguments in (
        ("explain", {"subject": "Ulm", "predicate": how, "object": "?why"}),
        ("describe_schema", {"predicate": "?how"}),
        ("paths", {"from": "Ulm", "to": "?why"}),
    ):
        text = await model.text(tool, **arguments)
        assert text.startswith("!Not valid: ")
        assert '{"term": "?' in text


async def test_null_stands_for_what_is_left_out(model: Speaker) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("search_terms", {"search": "Ulm"}),
        ("describe_schema", {}),
        ("query", {"patterns": JOIN}),
        ("paths", {"from": "Ulm", "to": "Europe"}),
        ("explain", {"subject": "Ulm", "predicate": "located_in", "object": "Europe"}),
    ]
    tools = {one["name"]: one["inputSchema"] for one in (await model.result("tools/list"))["tools"]}
    for tool, arguments in calls:
        others = dict.fromkeys(tools[tool]["properties"].keys() - arguments.keys())
        assert await model.text(tool, **arguments, **others) == await model.text(tool, **arguments)
    assert await model.text("query", patterns=None) == "!Not valid: `patterns`: Field required."


async def test_a_number_that_loses_precision_is_told_to_the_model(speaker: Speaker) -> None:
    text = "!Not valid: `k`: The number cannot be kept without losing precision."
    assert await speaker.text("query", patterns=JOIN, k=10**30) == text
    fact = {"subject": "Ulm", "predicate": "twin_of", "object": "Bern", "metadata": {"id": 2**60}}
    assert "`facts.0.metadata.id`: The number" in await speaker.text("add_facts", facts=[fact])


@pytest.mark.parametrize(("id_", "told"), [("a", "a"), (7, 7), (10**30, None)])
async def test_an_error_of_a_message_has_its_id(api: httpx.AsyncClient, id_: Any, told: Any) -> None:
    message = {"jsonrpc": "2.0", "id": id_, "method": "ping", "params": {"number": 10**30}}
    answer = await api.post("/mcp", json=message)
    assert answer.status_code == 400
    assert answer.json()["id"] == told
    assert "`params.number`" in answer.json()["error"]["message"]
