"""Moving a graph while clients write, with the service's own processes: what was acknowledged is there afterwards."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.conftest import StartService
from tests.service.load import assert_each_request_is_whole_or_missing, stored_facts, writing
from tests.skg_site.ops.backups.databases import as_json
from tests.skg_site.ops.moving.conftest import NewTarget
from tests.skg_site.ops.moving.settings import settings_for
from tests.support.service import Service
from tests.triples.commands.runs import Shell

pytestmark = pytest.mark.both

CLIENTS = int(os.environ.get("MOVE_CLIENTS", "4"))
SECONDS = float(os.environ.get("MOVE_SECONDS", "0.5"))
# A database that is there already, to be copied instead of a small one.
GRAPH = os.environ.get("MOVE_GRAPH", "")

RULE = {"name": "in", "head": ["?x", "in", "?z"], "body": [["?x", "in", "?y"], ["?y", "in", "?z"]], "weight": 0.5}


class Edited:
    """Facts that a client changes and deletes, as they are after its last acknowledged request."""

    def __init__(self) -> None:
        self.weights: dict[str, float] = {}
        self.deleted: set[str] = set()
        # What the last request was about, if it was not acknowledged: it may be either way.
        self.doubtful: set[str] = set()


@asynccontextmanager
async def editing(one: Service) -> AsyncIterator[Edited]:
    edited = Edited()
    done = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_edit_until(done, one, edited))
        try:
            yield edited
        finally:
            done.set()


async def _edit_until(done: asyncio.Event, one: Service, edited: Edited) -> None:
    draw = random.Random(1)
    async with httpx.AsyncClient(base_url=one.url, headers=one.headers, timeout=30) as client:
        number = 0
        while not done.is_set():
            number += 1
            fact = {"subject": f"edited-{number}", "predicate": "is", "object": "new", "weight": 1}
            answer = await client.post("/triples/add", json=fact)
            if answer.status_code == 201:
                edited.weights[answer.json()["id"]] = 1.0
            id_ = draw.choice(list(edited.weights)) if edited.weights else "none"
            weight = draw.random()
            edited.doubtful = {id_}
            answer = await client.patch(f"/triples/{id_}", json={"weight": weight})
            if answer.status_code == 200:
                edited.weights[id_] = weight
                edited.doubtful = set()
            id_ = draw.choice(list(edited.weights)) if edited.weights else "none"
            if number % 3 == 0 and (await client.delete(f"/triples/{id_}")).status_code == 204:
                del edited.weights[id_]
                edited.deleted.add(id_)


def _derive(one: Service) -> dict[str, Any]:
    """Make an inferred fact; the answer about it."""
    facts = [{"subject": "a", "predicate": "in", "object": "b"}, {"subject": "b", "predicate": "in", "object": "c"}]
    with one.client() as client:
        client.post("/triples/batch", json={"triples": facts}).raise_for_status()
        client.post("/rules", json=RULE).raise_for_status()
        client.post("/recurse", headers={"Prefer": "wait=60"}).raise_for_status()
        [fact] = client.get("/triples", params={"inferred": "true", "subject": "a", "object": "c"}).json()["triples"]
        return _explained(client, fact["id"])


def _explained(client: httpx.Client, id_: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/triples/{id_}/explain").raise_for_status().json()
    return answer | {"query_time_ms": 0}


def _revoked_and_working_key(one: Service) -> tuple[str, str]:
    with one.client() as client:
        keys = [client.post("/keys", json={"name": name, "scopes": ["read"]}).json() for name in ("ended", "working")]
        client.post(f"/keys/{keys[0]['id']}/revoke").raise_for_status()
        return keys[0]["key"], keys[1]["key"]


def _assert_everything_is_refused(client: httpx.Client, inferred: str) -> None:
    fact = {"subject": "x", "predicate": "y", "object": "z"}
    stored = client.get("/triples", params={"limit": 1}).json()["triples"][0]["id"]
    answers = [
        client.post("/triples/add", json=fact),
        client.post("/triples/batch", json={"triples": [fact] * 20, "skip_duplicates": True}),
        client.patch(f"/triples/{stored}", json={"weight": 0}),
        client.delete(f"/triples/{stored}"),
        client.post("/triples/delete", json={"pattern": ["a", None, None], "dry_run": False}),
        client.post("/rules", json=RULE | {"name": "another"}),
        client.delete("/rules/in"),
        client.post("/recurse"),
        client.post("/keys", json={"name": "new", "scopes": ["read"]}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "30"), answer.text
        assert "moved to another database" in answer.json()["detail"]
    assert client.get(f"/triples/{inferred}").is_success


async def test_what_was_acknowledged_is_found_on_the_target(service: StartService, new_target: NewTarget) -> None:
    one = service(workers=2, **({"db_path": GRAPH} if GRAPH else {}))
    explained = _derive(one)
    ended, working = _revoked_and_working_key(one)
    url = new_target()
    async with writing(one, CLIENTS) as ledger, editing(one) as edited:
        await ledger.fill(SECONDS)
        moved = await asyncio.to_thread(as_json, Shell(one.variables), "copy_to", url, "--yes")
        answered = len(ledger.answered)
        await asyncio.sleep(0.2)
    # Nothing was acknowledged after the move, and whoever was refused was told to wait or to go elsewhere.
    assert len(ledger.answered) == answered
    assert set(ledger.other_answers) == {503}
    assert moved["write_stop_seconds"] < 30
    assert moved["inferred_facts"] >= 1
    with one.client() as client:
        _assert_everything_is_refused(client, explained["id"])
        page = client.get("/triples", params={"limit": 2}).raise_for_status().json()

    other = service(**settings_for(url))
    found = list(stored_facts(other))
    assert ledger.answered <= set(found)
    if not GRAPH:
        assert_each_request_is_whole_or_missing(ledger, [fact for fact in found if fact[1] == "counts"])
    with other.client() as client:
        assert client.get("/triples", params={"limit": 2, "cursor": page["next_cursor"]}).is_success
        # Its id and its proof are what they were.
        assert _explained(client, explained["id"]) == explained
        for id_, weight in edited.weights.items():
            assert id_ in edited.doubtful or client.get(f"/triples/{id_}").json()["weight"] == weight
        assert all(client.get(f"/triples/{id_}").status_code == 404 for id_ in edited.deleted)
        assert client.get("/stats").json()["total_triples"] == len(found) - moved["inferred_facts"]
        # The next id is none that was given before, and names are found.
        added = client.post("/triples/add", json={"subject": "after the move", "predicate": "is", "object": "new"})
        assert added.status_code == 201
        terms = client.get("/terms", params={"search": "fter the mov", "match": "substring"}).json()["terms"]
        assert [each["term"] for each in terms] == ["after the move"]
        for key, status in ((ended, 401), (working, 200)):
            assert client.get("/stats", headers={"Authorization": f"Bearer {key}"}).status_code == status
