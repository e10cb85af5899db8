"""GET /terms and GET /predicates: the names in the graph."""

from itertools import pairwise
from typing import Any

import httpx
import pytest
from django.db import connection

from tests.api.conftest import StoreFacts
from tests.api.test_hostile_strings import ACCEPTED
from tests.api.test_inferred import checked, rerun
from tests.support.database import in_orm
from triples.query import predicates
from triples.store.term_lookup import ensure_terms

pytestmark = pytest.mark.both


async def search(api: httpx.AsyncClient, text: str, **more: Any) -> list[dict[str, Any]]:
    content = checked(await api.get("/terms", params={"search": text, **more}), "/terms")
    found: list[dict[str, Any]] = content["terms"]
    return found


async def test_terms_are_found_in_spite_of_a_typo(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("Albert Einstein", "discovered", "Relativity"), ("Bohr", "admired", "Albert Einstein"))
    assert await search(api, "albert einstien") == [
        {
            "term": "Albert Einstein",
            "match": "fuzzy",
            "score": 0.4667,
            "facts": {"subject": 1, "predicate": 0, "object": 1},
        }
    ]


async def test_a_short_name_with_a_typo_is_found_among_many(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    """Of more terms than are looked at, which share all that the typo leaves. The newest thousand are all looked at."""
    store_facts(*[(f"ho{number}", "is", f"dgx{number}") for number in range(150)])
    store_facts(*[(f"do {number}", "is", f"wog {number}") for number in range(150)])
    store_facts(("house", "is_near", "Dog"), ("кот", "is", "Köln"))
    store_facts(*[(f"a {number}", "is", f"b {number}") for number in range(600)])
    typos = {
        "Dog": ["dof", "dgo", "odg", "doog", "dogg", "xog", "DOF"],
        "house": ["hosue", "Hosue", "hose", "houuse", "hause"],
        "кот": ["кт", "кит", "окт"],
    }
    for meant, texts in typos.items():
        for typed in texts:
            assert (await search(api, typed, match="fuzzy"))[0]["term"] == meant, typed
            assert meant in [one["term"] for one in await search(api, typed)], typed
    # Terms that begin so come first; of two letters, one may be missing.
    assert "Dog" in [one["term"] for one in await search(api, "dg", match="fuzzy")]
    assert await search(api, "xg", match="fuzzy") == []


@pytest.mark.parametrize("names", ["few", "many"])
async def test_terms_are_found_whatever_was_deleted_before(
    api: httpx.AsyncClient, store_facts: StoreFacts, names: str
) -> None:
    """Ids grow on, so that there are far fewer terms than ids. A search before may remember what was there then."""
    earlier = [(f"Albert Einstein {number}", "was", f"einstien {number}") for number in range(9)]
    if names == "many":
        store_facts(*earlier)
        assert await search(api, "albert einstien")
    in_orm(skip_ids, 10_000_000)
    if names == "many":
        deleted = await api.post("/triples/delete", json={"pattern": [None, "was", None], "dry_run": False})
        assert deleted.json()["facts"] == len(earlier)
    store_facts(("Albert Einstein", "discovered", "Relativity"), ("Bohr", "admired", "Albert Einstein"))
    assert [one["term"] for one in await search(api, "albert einstien")] == ["Albert Einstein"]
    assert [one["term"] for one in await search(api, "relativty")] == ["Relativity"]


def skip_ids(number: int) -> None:
    """As if there had been so many terms that are deleted."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = "pg_get_serial_sequence('triples_term', 'id')"
            cursor.execute(f"SELECT setval({sequence}, nextval({sequence}) + %s)", [number])
        else:
            ensure_terms(["before"])
            cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = 'triples_term'", [number])


async def test_a_part_of_a_name_may_have_typos(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("toy_poodle.n.01", "hypernym", "poodle.n.01"), ("Albert Einstein", "discovered", "Relativity"))
    found = {text: await search(api, text) for text in ("pudle", "poodel.n", "einstien")}
    assert {text: [(term["term"], term["match"]) for term in terms] for text, terms in found.items()} == {
        "pudle": [("poodle.n.01", "fuzzy"), ("toy_poodle.n.01", "fuzzy")],
        "poodel.n": [("poodle.n.01", "fuzzy"), ("toy_poodle.n.01", "fuzzy")],
        "einstien": [("Albert Einstein", "fuzzy")],
    }
    assert all(0 < term["score"] <= 0.25 for terms in found.values() for term in terms)
    assert await search(api, "einstien", match="fuzzy") == found["einstien"]
    assert await search(api, "einstien", match="substring") == []


async def test_better_kinds_of_matches_come_first(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("dogs", "p", "bulldog"), ("Dog", "p", "dot"), ("dög", "p", "x"))
    found = await search(api, "dog")
    assert [(term["term"], term["match"]) for term in found] == [
        ("Dog", "exact"),
        ("dög", "exact"),
        ("dogs", "prefix"),
        ("bulldog", "substring"),
        ("dot", "fuzzy"),
    ]
    assert [term["term"] for term in await search(api, "dog", limit=4)] == ["Dog", "dög", "dogs", "bulldog"]
    assert [term["term"] for term in await search(api, "do")] == ["Dog", "dot", "dög", "dogs"]
    assert {term["match"] for term in await search(api, "doh")} == {"fuzzy"}
    assert [term["term"] for term in await search(api, "dog", match="fuzzy")] == ["Dog", "dög", "dogs", "dot"]
    assert [term["term"] for term in await search(api, "dog", match="substring", limit=4)] == [
        "Dog", "dög", "dogs", "bulldog"
    ]  # fmt: skip
    assert [term["term"] for term in await search(api, "dog", match="prefix", limit=2)] == ["Dog", "dög"]
    assert [term["term"] for term in await search(api, "dög", limit=1)] == ["dög"]


async def test_one_letter_finds_what_begins_with_it(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("ab", "p", "b"), ("東京", "p", "😀x"))
    assert [term["term"] for term in await search(api, "A")] == ["ab"]
    assert [term["term"] for term in await search(api, "東")] == ["東京"]
    assert [term["term"] for term in await search(api, "😀")] == ["😀x"]


async def test_a_position_is_kept_to(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("knower", "knows", "known"))
    found = {place: await search(api, "know", position=place) for place in ("subject", "predicate", "object")}
    assert {place: [term["term"] for term in terms] for place, terms in found.items()} == {
        "subject": ["knower"],
        "predicate": ["knows"],
        "object": ["known"],
    }


async def test_nothing_is_found_in_an_empty_graph(api: httpx.AsyncClient) -> None:
    assert await search(api, "x") == []


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
async def test_any_term_can_be_searched(api: httpx.AsyncClient, text: str) -> None:
    added = await api.post("/triples/add", json={"subject": text, "predicate": "p", "object": "o"})
    assert added.status_code == 201
    assert (await search(api, text, limit=1))[0]["term"] == added.json()["subject"]


REFUSED = {
    "nothing": {},
    "empty": {"search": ""},
    "blank": {"search": "  "},
    "control": {"search": "a\x02b"},
    "too long": {"search": "x" * 501},
    "no such match": {"search": "x", "match": "exact"},
    "no such place": {"search": "x", "position": "verb"},
    "none": {"search": "x", "limit": "0"},
    "too many": {"search": "x", "limit": "101"},
    "unknown": {"search": "x", "offset": "1"},
}


@pytest.mark.once
@pytest.mark.parametrize("parameters", REFUSED.values(), ids=REFUSED)
async def test_a_search_that_makes_no_sense_is_refused(api: httpx.AsyncClient, parameters: dict[str, str]) -> None:
    assert (await api.get("/terms", params=parameters)).status_code == 422


async def listed(api: httpx.AsyncClient, **parameters: Any) -> dict[str, Any]:
    content: dict[str, Any] = checked(await api.get("/predicates", params=parameters), "/predicates")
    return content


async def test_predicates_are_listed_in_pages(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("a", "p", "b"), ("a", "q", "b"), ("b", "q", "p"), ("q", "r", "a"))
    whole = await listed(api)
    assert sorted((one["predicate"], one["asserted"]) for one in whole["predicates"]) == [("p", 1), ("q", 2), ("r", 1)]
    assert whole["next_cursor"] is None
    first = await listed(api, limit=2)
    second = await listed(api, limit=2, cursor=first["next_cursor"])
    assert first["predicates"] + second["predicates"] == whole["predicates"]
    assert second["next_cursor"] is None


async def test_inferred_facts_are_counted_apart(api: httpx.AsyncClient, store_facts: StoreFacts) -> None:
    store_facts(("Ulm", "located_in", "Germany"), ("Germany", "located_in", "Europe"))
    rerun()
    assert (await listed(api))["predicates"] == [{"predicate": "located_in", "asserted": 2, "inferred": 1}]
    [row] = (await api.get("/triples", params={"subject": "Ulm", "inferred": "false"})).json()["triples"]
    await api.delete(f"/triples/{row['id']}")
    assert (await listed(api))["predicates"] == [{"predicate": "located_in", "asserted": 1, "inferred": 0}]


@pytest.mark.in_process
async def test_counting_ends_at_a_limit(
    api: httpx.AsyncClient, store_facts: StoreFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicates, "COUNT_LIMIT", 2)
    chain = ["Ulm", "Swabia", "Germany", "Europe"]
    store_facts(*((inner, "located_in", outer) for inner, outer in pairwise(chain)))
    rerun()
    assert (await listed(api))["predicates"] == [
        {"predicate": "located_in", "asserted": 3, "inferred": 2, "capped": True}
    ]
