"""POST /query: the heaviest facts that match a pattern."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import StoreFacts

pytestmark = pytest.mark.both


async def ask(api: httpx.AsyncClient, *pattern: str | None, **options: Any) -> dict[str, Any]:
    answer = await api.post("/query", json={"pattern": pattern, **options})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def texts(content: dict[str, Any]) -> list[str]:
    """Each result's three terms in one word."""
    return ["".join(result[name] for name in ("subject", "predicate", "object")) for result in content["results"]]


async def test_the_heaviest_come_first(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(*((f"s{place}", "p", "o", weight, None, 1) for place, weight in enumerate([0.2, 1.0, 0.0, 0.7])))
    found = await ask(api, None, "p", None)
    assert [result["weight"] for result in found["results"]] == [1.0, 0.7, 0.2, 0.0]


async def test_ties_come_in_the_order_of_their_ids(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    for subject in "dbca":
        store_facts((subject, "p", "o"))
    found = await ask(api, None, "p", "o", k=3)
    assert [result["subject"] for result in found["results"]] == ["d", "b", "c"]
    keys = [result["id"] for result in found["results"]]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ((None, None, None), {"apx", "apy", "aqx", "bpx"}),
        (("a", None, None), {"apx", "apy", "aqx"}),
        ((None, "p", None), {"apx", "apy", "bpx"}),
        ((None, None, "x"), {"apx", "aqx", "bpx"}),
        (("a", "p", None), {"apx", "apy"}),
        (("a", None, "x"), {"apx", "aqx"}),
        ((None, "p", "x"), {"apx", "bpx"}),
        (("a", "p", "x"), {"apx"}),
        (("b", "q", "y"), set()),
    ],
)
async def test_every_shape_of_pattern_is_answered(
    api: httpx.AsyncClient, store_facts: StoreFacts, pattern: tuple[str | None, ...], expected: set[str]
) -> None:
    store_facts(("a", "p", "x"), ("a", "p", "y"), ("a", "q", "x"), ("b", "p", "x"))
    found = await ask(api, *pattern)
    assert (set(texts(found)), found["total"]) == (expected, len(expected))


@pytest.mark.parametrize(
    "pattern",
    [("unknown", None, None), (None, "unknown", None), (None, None, "unknown"), ("a", "unknown", "o"), ("p", "a", "o")],
)
async def test_what_is_not_in_the_graph_matches_nothing(
    api: httpx.AsyncClient, store_facts: StoreFacts, pattern: tuple[str | None, ...]
) -> None:
    store_facts(("a", "p", "o"))
    found = await ask(api, *pattern)
    assert (found["results"], found["total"]) == ([], 0)


async def test_k_limits_what_is_shown_and_not_what_is_counted(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(*((f"s{number:02}", "p", "o") for number in range(12)))
    assert [len((await ask(api, None, "p", None, k=k))["results"]) for k in (1, 11, 12, 1000)] == [1, 11, 12, 12]
    unlimited = await ask(api, None, "p", None)
    assert (len(unlimited["results"]), unlimited["total"]) == (10, 12)
    assert "total_capped" not in unlimited


async def test_a_least_weight_includes_itself_and_narrows_the_count(
    api: httpx.AsyncClient, store_facts: StoreFacts
) -> None:
    store_facts(*((f"s{tenths}", "p", "o", tenths / 10, None, 1) for tenths in range(11)))
    for tenths in (0, 3, 10):
        found = await ask(api, None, "p", None, min_weight=tenths / 10, k=1)
        assert (len(found["results"]), found["total"]) == (1, 11 - tenths)


async def test_metadata_is_shown_when_asked_for(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("a", "p", "o", 1.0, '{"k":1.0}', 1), ("b", "p", "o"))
    plain = await ask(api, None, "p", None)
    shown = {"id", "subject", "predicate", "object", "weight", "inferred"}
    assert [set(result) for result in plain["results"]] == [shown] * 2
    asked = await ask(api, None, "p", None, include_metadata=True)
    assert [result["metadata"] for result in asked["results"]] == [{"k": 1.0}, {}]


async def test_a_result_can_be_fetched_by_its_id(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("a", "p", "o"))
    [result] = (await ask(api, "a", None, None))["results"]
    fetched = (await api.get(f"/triples/{result['id']}")).json()
    assert result.items() <= fetched.items()


async def test_a_pattern_is_brought_into_the_shape_of_what_is_stored(api: httpx.AsyncClient) -> None:
    # Decomposed and with a no-break space outside; asked for composed, and the other way round.
    body = {"subject": "\u00a0Cafe\u0301\n", "predicate": " in ", "object": "S\u00e3o Paulo"}
    assert (await api.post("/triples/add", json=body)).status_code == 201
    found = await ask(api, "\tCaf\u00e9", "in\u2003", "Sa\u0303o Paulo ")
    [result] = found["results"]
    assert (result["subject"], result["predicate"], result["object"]) == ("Caf\u00e9", "in", "S\u00e3o Paulo")


async def test_the_count_is_exact_up_to_ten_thousand(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(*((f"s{number}", "p", "o") for number in range(10_000)))
    found = await ask(api, None, "p", None, k=1)
    assert (found["total"], "total_capped" in found) == (10_000, False)
    store_facts(("one more", "p", "o"))
    found = await ask(api, None, "p", None, k=1)
    assert (found["total"], found["total_capped"]) == (10_000, True)


@pytest.mark.once
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["pattern"]),
        ({"pattern": None}, ["pattern"]),
        ({"pattern": "a"}, ["pattern"]),
        ({"pattern": {}}, ["pattern"]),
        ({"pattern": ["a", None]}, ["pattern", 2]),
        ({"pattern": ["a", None, None, None]}, ["pattern"]),
        ({"pattern": ["", None, None]}, ["pattern", 0]),
        ({"pattern": [None, 1, None]}, ["pattern", 1]),
        ({"pattern": [None, None, ["o"]]}, ["pattern", 2]),
        ({"pattern": [None, "p" * 501, None]}, ["pattern", 1]),
        ({"pattern": [None] * 3, "k": 0}, ["k"]),
        ({"pattern": [None] * 3, "k": 1001}, ["k"]),
        ({"pattern": [None] * 3, "k": 1.5}, ["k"]),
        ({"pattern": [None] * 3, "k": "10"}, ["k"]),
        ({"pattern": [None] * 3, "k": None}, ["k"]),
        ({"pattern": [None] * 3, "min_weight": -1}, ["min_weight"]),
        ({"pattern": [None] * 3, "min_weight": "0.5"}, ["min_weight"]),
        ({"pattern": [None] * 3, "include_metadata": 1}, ["include_metadata"]),
        ({"pattern": [None] * 3, "include_inferred": "yes"}, ["include_inferred"]),
        ({"pattern": [None] * 3, "limit": 1}, ["limit"]),
    ],
)
async def test_a_bad_query_is_refused_with_the_place(
    api: httpx.AsyncClient, body: dict[str, Any], place: list[Any]
) -> None:
    answer = await api.post("/query", json=body)
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [place]
