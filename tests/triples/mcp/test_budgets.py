"""What a model reads is small: the tools, and every answer, which says what it leaves out."""

import json
from itertools import pairwise
from typing import Any

import orjson
import pytest

from tests.support.database import in_orm
from tests.support.facts import store
from tests.triples.mcp.conftest import Speaker, make_graph

pytestmark = pytest.mark.both

# About four bytes make a token.
TOKEN = 4


async def answered(model: Speaker, most: int, tool: str, **arguments: Any) -> tuple[str, dict[str, Any]]:
    """The text and the structured part, each within the budget."""
    result = await model.call(tool, **arguments)
    [block] = result["content"]
    assert not result.get("isError"), block
    assert len(block["text"].encode()) <= most
    assert len(orjson.dumps(result["structuredContent"])) <= most
    return block["text"], result["structuredContent"]


@pytest.mark.once
async def test_the_list_of_tools_takes_less_than_1_500_tokens(speaker: Speaker) -> None:
    tools = (await speaker.result("tools/list"))["tools"]
    assert len(tools) == 6
    assert len(json.dumps(tools)) < 1_500 * TOKEN
    for tool in tools:
        assert tool["annotations"]["readOnlyHint"] == (tool["name"] != "add_facts")
        assert tool["annotations"]["destructiveHint"] is False
        assert tool["annotations"]["idempotentHint"] is True
        assert set(tool["inputSchema"]["required"]) <= set(tool["inputSchema"]["properties"])


async def test_a_schema_of_3_000_predicates_takes_less_than_1_000_tokens(model: Speaker) -> None:
    in_orm(lambda: store(*((f"s{n}", f"some_predicate_number_{n:04}", "o") for n in range(3_000))))
    in_orm(lambda: store(*((f"t{n}", "most_frequent", "o") for n in range(5))))
    text, structured = await answered(model, 1_000 * TOKEN, "describe_schema")
    assert text.splitlines()[1] == "most_frequent\t5\t-"
    assert "3,005 asserted facts" in text
    assert f"{3_001 - len(structured['rows']):,} less frequent predicates are left out" in text
    assert len(structured["rows"]) > 50


@pytest.mark.once
async def test_the_schema_of_an_empty_graph_says_how_to_fill_it(model: Speaker) -> None:
    text, structured = await answered(model, 1_000 * TOKEN, "describe_schema")
    assert "add_facts fills it" in text
    assert structured["rows"] == []


@pytest.mark.once
async def test_pages_of_a_query_lead_through_all_answers(model: Speaker) -> None:
    names = [f"term number {n} with a longish name {'x' * (n % 40)}" for n in range(500)]
    in_orm(lambda: store(*((name, "p", f"o{n % 3}", (n % 7) / 10 + 0.1) for n, name in enumerate(names))))
    found: list[list[Any]] = []
    cursor: dict[str, str] = {}
    pages = 0
    while pages == 0 or cursor:
        text, structured = await answered(model, 8_000, "query", patterns=[["?x", "p", "?y"]], k=400, **cursor)
        found += structured["rows"]
        cursor = {"cursor": structured["next_cursor"]} if "next_cursor" in structured else {}
        assert bool(cursor) == ("More answers follow" in text)
        pages += 1
    assert pages > 3
    assert sorted(row[0] for row in found) == sorted(names)
    assert [row[2] for row in found] == sorted((row[2] for row in found), reverse=True)


@pytest.mark.once
async def test_groups_paths_proofs_and_searches_are_cut_where_room_ends(model: Speaker) -> None:
    long = "y" * 400
    hubs = [f"hub {n} {long}" for n in range(40)]
    in_orm(lambda: store(*(("a", "p", hub) for hub in hubs), *((hub, "p", "b") for hub in hubs)))
    text, structured = await answered(model, 8_000, "query", patterns=[["a", "p", "?h"]], group_by=["?h"], k=40)
    assert f"{40 - len(structured['rows'])} less frequent groups are left out" in text
    text, structured = await answered(model, 8_000, "paths", **{"from": "a", "to": "b", "k": 40})
    assert f"{40 - len(structured['rows'])} more paths are left out" in text
    text, structured = await answered(model, 4_000, "search_terms", search="hub", limit=40)
    assert f"{40 - len(structured['rows'])} less similar terms are left out" in text
    await answered(model, 4_000, "describe_schema", predicate="p")


@pytest.mark.once
async def test_a_large_proof_is_cut_by_depth_and_by_room(model: Speaker) -> None:
    chain = [f"place {n} {'y' * 200}" for n in range(20)]
    make_graph(*((one, "located_in", other) for one, other in pairwise(chain)))
    fact = {"subject": chain[0], "predicate": "located_in", "object": chain[-1]}
    text, structured = await answered(model, 8_000, "explain", **fact, depth=1)
    assert [row[0] for row in structured["rows"]] == [0, 1, 1]
    assert "goes on below `cut`: raise depth" in text
    text, structured = await answered(model, 8_000, "explain", **fact, depth=64)
    assert len(structured["rows"]) > 10
    # 19 facts, and 18 that are derived of them.
    assert f"{37 - len(structured['rows'])} facts of the proof are left out: lower depth" in text


@pytest.mark.once
async def test_a_search_says_that_there_may_be_more(model: Speaker) -> None:
    in_orm(lambda: store(*((f"Ulm {n}", "p", "o") for n in range(5))))
    text, _ = await answered(model, 4_000, "search_terms", search="ulm", limit=3)
    assert "There may be more: search for more of the name, or raise limit." in text
    assert "more" not in (await answered(model, 4_000, "search_terms", search="ulm", limit=10))[0]
    text, _ = await answered(model, 8_000, "paths", **{"from": "Ulm 1", "to": "Ulm 2", "k": 1})
    assert "There may be more paths: raise k" in text


@pytest.mark.once
async def test_what_does_not_fit_at_all_is_cut(model: Speaker) -> None:
    # As text, each of these characters takes six bytes.
    chain = ["\u200b" * 2 + "z" + "\u200e" * 490 + str(n) for n in range(8)]
    in_orm(lambda: store(*((one, "p", other) for one, other in pairwise(chain))))
    text, structured = await answered(model, 8_000, "paths", **{"from": chain[0], "to": chain[-1], "max_length": 10})
    assert len(structured["rows"]) == 1
    assert "Long texts are cut" in text
    patterns = [[f"?v{n}", "p", f"?v{n + 1}"] for n in range(7)]
    text, structured = await answered(model, 8_000, "query", patterns=patterns)
    assert "Long texts are cut" in text
    [row] = structured["rows"]
    assert len(row) == 9


@pytest.mark.once
async def test_notes_keep_to_their_room(model: Speaker) -> None:
    quotes = '"' * 95
    facts = [(f"term {n} {quotes}", f"{quotes}{n % 9}", f"o{n}") for n in range(200)]
    in_orm(lambda: store(*facts))
    absent = [["?x", f"{quotes}x{n}", None] for n in range(5)]
    for k in (1, 30, 200):
        text, _ = await answered(model, 8_000, "query", patterns=[["?x", "?p", "?y"]], absent=absent, k=k, count=True)
        assert "No fact has the predicate" in text
        assert ("More answers follow" in text) or k == 200
    await answered(model, 4_000, "search_terms", search=quotes, limit=50)
    refused = await model.text("query", patterns=[[quotes, f"{quotes}x1", None], [quotes, f"{quotes}x2", quotes]])
    assert refused.startswith("!No fact has the predicate")
    assert len(refused.encode()) <= 1_501


@pytest.mark.once
async def test_names_of_variables_have_to_leave_room(model: Speaker) -> None:
    in_orm(lambda: store(("a", "p", "b")))
    long = "?" + "v" * 490
    patterns = [[f"{long}{n}", "p", f"{long}{n + 1}"] for n in range(8)]
    assert "shorter names" in await model.text("query", patterns=patterns)


@pytest.mark.once
async def test_a_total_and_a_cursor_are_told(model: Speaker) -> None:
    in_orm(lambda: store(*((f"s{n}", "p", "o") for n in range(12))))
    text, structured = await answered(model, 8_000, "query", patterns=[["?x", "p", "?y"]], count=True)
    assert "12 answers in all." in text
    assert structured["total"] == 12
    assert len(structured["rows"]) == 10
