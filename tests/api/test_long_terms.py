"""Terms longer than new ones may be, of a time or a host with another SKG_MAX_TERM_LENGTH: as good as others."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import StoreFacts
from tests.triples.store.long_texts import HOSTILE, LONGEST

pytestmark = pytest.mark.both

TEXTS = list(HOSTILE.values())
PREDICATE = "\u6f22" * 500
LATIN = "Somebody once wrote a long label. " * 294


@pytest.fixture
def stored(store_facts: StoreFacts) -> None:
    facts = [(text, PREDICATE, TEXTS[place - 1], 0.5, None, 1) for place, text in enumerate(TEXTS)]
    store_facts(*facts, (LATIN.strip(), "knows", LONGEST, 0.25, None, 1))


async def ask(api: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await api.post(path, json=body)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


@pytest.mark.usefixtures("stored")
async def test_each_is_found_by_itself_alone(api: httpx.AsyncClient) -> None:
    for place, text in enumerate(TEXTS):
        found = await ask(api, "/query", pattern=[text, PREDICATE, None])
        assert [one["object"] for one in found["results"]] == [TEXTS[place - 1]]
        assert found["total"] == 1
        found = await ask(api, "/query/patterns", patterns=[["?s", "?p", {"term": text}]], select=["?s"])
        assert TEXTS[(place + 1) % len(TEXTS)] in {one["bindings"]["?s"] for one in found["results"]}
    for text in (LONGEST[:-1], "k" * 502):
        assert (await ask(api, "/query", pattern=[text, None, None]))["results"] == []


# A URL of that length is refused by nginx.
@pytest.mark.in_process
@pytest.mark.usefixtures("stored")
async def test_questions_lists_and_searches_take_them(api: httpx.AsyncClient) -> None:
    latin = LATIN.strip()
    listed = await api.get("/triples", params={"subject": latin, "count": "exact"})
    [one] = listed.json()["triples"]
    assert (one["subject"], one["object"]) == (latin, LONGEST)
    around = await ask(api, "/query/neighbours", term=latin, include_counts=True)
    assert [fact["object"] for fact in around["facts"]] == [LONGEST]
    [path] = (await ask(api, "/query/paths", **{"from": latin, "to": LONGEST}))["paths"]
    assert path["length"] == 1
    # By how it begins, and by typos in that; not by what comes later.
    for typed, match in (("Somebody once", "prefix"), ("someboddy onse", "fuzzy"), (latin[400:500], "substring")):
        found = await api.get("/terms", params={"search": typed, "match": match})
        assert [term["term"] for term in found.json()["terms"]] == [latin]
    exact = await api.get("/terms", params={"search": latin[:500]})
    assert [(term["term"], term["match"]) for term in exact.json()["terms"]] == [(latin, "prefix")]
    assert (await api.get("/terms", params={"search": latin[:501]})).status_code == 422


@pytest.mark.usefixtures("stored")
async def test_they_are_changed_and_deleted_and_no_new_ones_come(api: httpx.AsyncClient) -> None:
    [one] = (await ask(api, "/query", pattern=[LATIN, None, None]))["results"]
    changed = await api.patch(f"/triples/{one['id']}", json={"weight": 0.75})
    assert (changed.status_code, changed.json()["subject"]) == (200, LATIN.strip())
    for text in (LONGEST, "k" * 501):
        fact = {"subject": "s", "predicate": "p", "object": text}
        refused = await api.post("/triples/add", json=fact)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["loc"] == ["object"]
        assert refused.json()["errors"][0]["msg"] == f"must have at most 500 characters, not {len(text)}"
        batch = await api.post("/triples/batch", json={"triples": [fact], "skip_invalid": True})
        assert batch.json()["errors"] == 1
    gone = await ask(api, "/triples/delete", pattern=[None, None, LONGEST], dry_run=False)
    assert gone["facts"] == 2
    assert (await api.get("/triples", params={"object": "k" * 500})).json()["triples"]


@pytest.mark.usefixtures("stored")
async def test_rules_ask_for_them_and_make_no_new_ones(api: httpx.AsyncClient) -> None:
    short, asked = "k" * 500, "k" * 501
    whole = {"name": "one", "head": [short, "met", "?x"], "body": [[asked, PREDICATE, "?x"]]}
    assert (await api.post("/rules", json=whole)).status_code == 201
    refused = await api.post("/rules", json=whole | {"name": "four", "head": [asked, "met", "?x"]})
    assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["head", 0])
    too_long = await api.post("/rules", json=whole | {"name": "five", "body": [[LONGEST, PREDICATE, "?x"]]})
    assert too_long.status_code == 422
