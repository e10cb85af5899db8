"""Whatever a client sends: an answer within its budget, or a refusal; never a failure."""

from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_types import methods

from tests.support.properties import examples
from tests.triples.mcp.conftest import BEFORE, CURRENT, Speaker

pytestmark = pytest.mark.usefixtures("places")

BUDGETS = {
    "search_terms": 4_000,
    "describe_schema": 4_000,
    "query": 8_000,
    "paths": 8_000,
    "explain": 8_000,
    "add_facts": 8_000,
}
# Names that are there, near ones, and any others.
names = st.sampled_from(["Ulm", "Germany", "Europe", "Jinja", "Einstein", "located_in", "twin_of", "born_in", "Umm"])
texts = names | st.text(max_size=30) | st.text(st.sampled_from('\u200e\u202e"\\\té漢😀'), min_size=480, max_size=500)
places = names | st.sampled_from(["?x", "?y", "?z", "?"]) | st.none() | texts
patterns = st.lists(st.tuples(places, places, places).map(list), max_size=4)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
weights = st.floats(0, 1) | scalars
whole = st.integers(1, 100) | scalars
facts = st.lists(
    st.fixed_dictionaries(
        {"subject": texts, "predicate": texts, "object": texts}, optional={"weight": weights, "metadata": anything}
    )
    | anything,
    max_size=4,
)
variables = st.lists(st.sampled_from(["?x", "?y", "?z", "?q"]), max_size=3)
filters = st.lists(st.tuples(places, st.sampled_from(["=", "!=", "<", "in", "contains", "~"]), anything).map(list))

FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "search_terms": {"search": texts, "position": st.sampled_from(["subject", "predicate", "x"]), "limit": whole},
    "describe_schema": {"predicate": texts},
    "query": {
        "patterns": patterns,
        "optional": st.lists(patterns, max_size=2),
        "absent": patterns,
        "filter": filters,
        "select": variables,
        "group_by": variables,
        "count": st.booleans(),
        "k": whole,
        "min_weight": weights,
        "cursor": st.text("0123456789abcdef", min_size=16, max_size=64),
        "include_inferred": st.booleans(),
        "allow_cross_product": st.booleans(),
    },
    "paths": {
        "from": texts,
        "to": texts,
        "predicates": st.lists(texts, max_size=2),
        "direction": st.sampled_from(["any", "out", "in", "up"]),
        "max_length": whole,
        "order": st.sampled_from(["weight", "length"]),
        "k": whole,
        "min_weight": weights,
    },
    "explain": {"subject": texts, "predicate": texts, "object": texts, "depth": whole},
    "add_facts": {"facts": facts},
}
# What is mostly given, so that many calls are answered.
NEEDED = {
    "search_terms": ["search"],
    "query": ["patterns"],
    "paths": ["from", "to"],
    "explain": ["subject", "predicate", "object"],
    "add_facts": ["facts"],
}


def arguments_of(tool: str) -> st.SearchStrategy[Any]:
    needed = {name: FIELDS[tool][name] for name in NEEDED.get(tool, [])}
    others = {name: field for name, field in FIELDS[tool].items() if name not in needed}
    few = st.sets(st.sampled_from(sorted(others)), max_size=3) if others else st.just(set[str]())
    good = few.flatmap(lambda chosen: st.fixed_dictionaries(needed | {name: others[name] for name in chosen}))
    return good | st.dictionaries(st.sampled_from([*FIELDS[tool], "other"]), anything, max_size=3)


calls = st.sampled_from(sorted(FIELDS)).flatmap(lambda tool: st.tuples(st.just(tool), arguments_of(tool)))


@given(call=calls, version=st.sampled_from([CURRENT, BEFORE]))
@settings(max_examples=examples(5))
async def test_no_call_fails_and_no_answer_is_over_its_budget(
    api: httpx.AsyncClient, call: tuple[str, dict[str, Any]], version: str
) -> None:
    tool, arguments = call
    answer = await Speaker(api, version).send("tools/call", name=tool, arguments=arguments)
    content = answer.json()
    if "error" in content:
        # Such as a number that would lose precision.
        assert (answer.status_code, content["error"]["code"]) in {(400, -32600), (200, -32602), (400, -32602)}
        return
    assert answer.status_code == 200
    result = content["result"]
    methods.validate_server_result("tools/call", version, result)
    [block] = result["content"]
    assert block["text"]
    assert len(block["text"].encode()) <= (1_500 if result.get("isError") else BUDGETS[tool])
    # The whole answer: its text, escaped, its table, and the envelope.
    assert len(answer.content) <= 2 * BUDGETS[tool] + 3_000
    assert "Traceback" not in block["text"]


@given(
    method=st.sampled_from(["tools/call", "tools/list", "initialize", "ping", "server/discover"]) | texts,
    params=anything,
    version=st.sampled_from([CURRENT, BEFORE, "2024-11-05"]),
)
@settings(max_examples=examples(2))
async def test_no_message_fails(api: httpx.AsyncClient, method: str, params: Any, version: str) -> None:
    headers = {"MCP-Protocol-Version": version}
    message = {"jsonrpc": "2.0", "id": "a", "method": method, "params": params}
    answer = await api.post("/mcp", json=message, headers=headers)
    assert answer.status_code in {200, 400, 404}
    assert {"error", "result"} & answer.json().keys()
    if version == CURRENT:
        # The headers say nothing of the method.
        assert answer.status_code == 400
