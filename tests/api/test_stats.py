"""GET /stats: exact counts, whatever changed the graph."""

import httpx
import pytest

from tests.api.conftest import StoreFacts

pytestmark = pytest.mark.both


async def counted(api: httpx.AsyncClient) -> tuple[int, int, int]:
    """Facts, subjects and predicates."""
    answer = await api.get("/stats")
    assert answer.status_code == 200
    content = answer.json()
    return content["total_triples"], content["unique_subjects"], content["unique_predicates"]


async def test_an_empty_graph_has_nothing(api: httpx.AsyncClient) -> None:
    assert await counted(api) == (0, 0, 0)


async def test_a_term_counts_once_and_only_where_it_stands(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("a", "p", "b"), ("a", "q", "b"), ("b", "p", "a"), ("b", "p", "p"))
    assert await counted(api) == (4, 2, 2)


async def test_duplicates_and_changes_count_nothing(api: httpx.AsyncClient) -> None:
    fact = {"subject": "a", "predicate": "p", "object": "b"}
    added = await api.post("/triples/add", json=fact)
    await api.post("/triples/add", json=fact | {"on_duplicate": "replace", "weight": 0.5})
    await api.post("/triples/batch", json={"triples": [fact, fact]})
    await api.patch(f"/triples/{added.json()['id']}", json={"weight": 0.25})
    assert await counted(api) == (1, 1, 1)


async def test_what_is_refused_counts_nothing(api: httpx.AsyncClient) -> None:
    fact = {"subject": "a", "predicate": "p", "object": "b"}
    await api.post("/triples/batch", json={"triples": [fact, fact], "skip_duplicates": False})
    await api.post("/triples/add", json=fact | {"weight": 2})
    assert await counted(api) == (0, 0, 0)


async def test_a_deleted_fact_counts_no_more_and_its_subject_neither_when_it_was_the_last(
    api: httpx.AsyncClient, store_facts: StoreFacts
) -> None:
    store_facts(("a", "p", "b"), ("a", "q", "b"))
    rows = (await api.get("/triples")).json()["triples"]
    counts = []
    for row in rows:
        assert (await api.delete(f"/triples/{row['id']}")).status_code == 204
        counts.append((await counted(api))[:2])
    assert counts == [(1, 1), (0, 0)]


async def test_without_a_run_nothing_is_inferred(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("a", "p", "b"))
    content = (await api.get("/stats")).json()
    inferred = {name: value for name, value in content.items() if name.startswith("inferred")}
    assert inferred == {"inferred_triples": 0, "inferred_at": None, "inferred_complete_above": None}


async def test_the_size_of_the_database_is_in_megabytes(api: httpx.AsyncClient) -> None:
    size = (await api.get("/stats")).json()["db_size_mb"]
    assert 0 < size < 1000
    assert size == round(size, 1)


async def by_predicate(api: httpx.AsyncClient) -> dict[str, int]:
    content = (await api.get("/stats")).json()
    assert content["more_predicates"] == 0
    return {one["predicate"]: one["triples"] for one in content["predicates"]}


async def test_predicates_come_with_their_facts_the_most_frequent_first(
    api: httpx.AsyncClient, store_facts: StoreFacts
) -> None:
    store_facts(("a", "q", "b"), ("a", "p", "b"), ("b", "p", "a"), ("c", "r", "a"), ("b", "p", "p"))
    found = await by_predicate(api)
    assert list(found.items()) == [("p", 3), ("q", 1), ("r", 1)]


async def test_every_write_counts_by_predicate(api: httpx.AsyncClient) -> None:
    facts = [{"subject": f"s{number}", "predicate": f"p{number % 3}", "object": "o"} for number in range(7)]
    await api.post("/triples/batch", json={"triples": facts})
    assert await by_predicate(api) == {"p0": 3, "p1": 2, "p2": 2}
    added = await api.post("/triples/add", json=facts[0] | {"object": "another"})
    await api.post("/triples/batch", json={"triples": [*facts, facts[1] | {"subject": "new"}]})
    assert await by_predicate(api) == {"p0": 4, "p1": 3, "p2": 2}
    await api.delete(f"/triples/{added.json()['id']}")
    for row in (await api.get("/triples", params={"predicate": "p2"})).json()["triples"]:
        await api.delete(f"/triples/{row['id']}")
    assert await by_predicate(api) == {"p0": 3, "p1": 3}
    assert (await counted(api))[2] == 2


async def test_the_rarest_of_many_predicates_are_only_counted(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(*(("s", f"p{number}", "o") for number in range(103)), ("t", "p102", "o"))
    content = (await api.get("/stats")).json()
    assert (content["unique_predicates"], content["more_predicates"]) == (103, 3)
    assert len(content["predicates"]) == 100
    assert content["predicates"][0] == {"predicate": "p102", "triples": 2}
