"""Weights over HTTP: computed ones are rounded to 15 digits where they are shown, given ones are not."""

from typing import Any

import httpx
import pytest

from tests.support.database import in_orm

pytestmark = pytest.mark.both

RULE = {
    "name": "transitive",
    "weight": 1.0,
    "head": ["?x", "in", "?z"],
    "body": [["?x", "in", "?y"], ["?y", "in", "?z"]],
}
# Somebody's own product: it is given, so nobody rounds it.
GIVEN = 0.9 * 0.9 * 0.9


@pytest.fixture
async def chain(api: httpx.AsyncClient) -> httpx.AsyncClient:
    """a in b in c in d, each 0.9, with what follows; e in f with a weight of 16 digits."""
    facts = [("a", "b", 0.9), ("b", "c", 0.9), ("c", "d", 0.9), ("e", "f", GIVEN)]
    for subject, object_, weight in facts:
        fact = {"subject": subject, "predicate": "in", "object": object_, "weight": weight}
        (await api.post("/triples/add", json=fact)).raise_for_status()

    def derive() -> None:
        from tests.triples.store.inferred.derived import program, run

        run(program(RULE))

    in_orm(derive)
    return api


async def asked(api: httpx.AsyncClient, path: str, **body: Any) -> Any:
    return (await api.post(path, json=body)).raise_for_status().json()


async def test_lists_and_queries(chain: httpx.AsyncClient) -> None:
    found = (await asked(chain, "/query", pattern=[None, "in", None]))["results"]
    listed = (await chain.get("/triples")).json()["triples"]
    for rows in (found, listed):
        weights = {(row["subject"], row["object"]): row["weight"] for row in rows}
        assert weights["a", "d"] == 0.729
        assert weights["a", "c"] == 0.81
        assert weights["e", "f"] == GIVEN != 0.729
    [derived] = [row for row in found if (row["subject"], row["object"]) == ("a", "d")]
    assert (await chain.get(f"/triples/{derived['id']}")).json()["weight"] == 0.729
    proof = (await chain.get(f"/triples/{derived['id']}/explain")).json()
    assert proof["weight"] == 0.729
    assert {premise["weight"] for premise in proof["premises"]} == {0.9, 0.81}


async def test_answers_and_paths(chain: httpx.AsyncClient) -> None:
    patterns = [["a", "in", "?x"], ["?x", "in", "?y"], ["?y", "in", "d"]]
    [answer] = (await asked(chain, "/query/patterns", patterns=patterns, include_inferred=False))["results"]
    assert answer["weight"] == 0.729
    [group] = (await asked(chain, "/query/patterns", patterns=patterns, include_inferred=False, group_by=["?y"]))[
        "results"
    ]
    assert group["weight"] == 0.729
    paths = {"from": "a", "to": "d", "include_inferred": False}
    assert [path["weight"] for path in (await asked(chain, "/query/paths", **paths))["paths"]] == [0.729]
    around = (await asked(chain, "/query/neighbours", term="d"))["facts"]
    assert {fact["subject"]: fact["weight"] for fact in around}["a"] == 0.729


async def test_bounds_and_cursors_go_by_all_digits(chain: httpx.AsyncClient) -> None:
    """The stored weight of a in d is a digit above what is shown, which is the bound that one would copy."""
    assert GIVEN > 0.729
    heavy = await asked(chain, "/query", pattern=[None, "in", None], min_weight=0.729)
    assert ("a", "d") in {(row["subject"], row["object"]) for row in heavy["results"]}
    whole = [row["id"] for row in (await chain.get("/triples")).json()["triples"]]
    paged: list[str] = []
    cursor: dict[str, str] = {}
    while cursor is not None:
        page = (await chain.get("/triples", params={"limit": "1", **cursor})).json()
        paged += [row["id"] for row in page["triples"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == whole
