"""Answers that hosts keep for each other: given again, and never one that a write has outdated."""

import asyncio
import itertools
from contextlib import AsyncExitStack
from time import monotonic, sleep

import httpx

from tests.service.conftest import StartHosts
from tests.service.hosts import metric, until_up
from tests.support.service import Service, manage
from tests.support.valkey import ValkeyServer


def query(client: httpx.Client, subject: str, *, inferred: bool = False) -> list[tuple[str, float]]:
    body = {"pattern": [subject, None, None], "k": 100, "include_inferred": inferred}
    results = client.post("/query", json=body).raise_for_status().json()["results"]
    return [(result["object"], result["weight"]) for result in results]


def hits(both: list[Service]) -> float:
    return sum(metric(one, 'skg_query_cache_total{result="hit"}') for one in both)


def until_kept(server: ValkeyServer) -> dict[bytes, bytes]:
    """The answers that are kept, as soon as there are any: they are kept behind the answer's back."""
    deadline = monotonic() + 60
    with server.client() as client:
        while monotonic() < deadline:
            if names := client.keys("skg:query:*"):
                return dict(zip(names, client.mget(names), strict=True))
    raise AssertionError("no answer was kept")


def test_what_one_host_answered_another_gives_again_until_anything_changes(
    hosts: StartHosts, valkey_server: ValkeyServer
) -> None:
    both = hosts(cache_ttl=60, measured=True)
    with both[0].client() as here, both[1].client() as there:
        fact = {"subject": "Ada", "predicate": "knows", "object": "Charles", "weight": 0.5, "metadata": {"since": 1833}}
        id_ = here.post("/triples/add", json=fact).raise_for_status().json()["id"]
        assert query(here, "Ada") == [("Charles", 0.5)]
        kept = until_kept(valkey_server)
        assert query(there, "Ada") == [("Charles", 0.5)]
        assert hits(both) == 1

        there.patch(f"/triples/{id_}", json={"weight": 0.75}).raise_for_status()
        assert query(here, "Ada") == [("Charles", 0.75)]
        # A Valkey that was started from an old copy has the old answer again.
        with valkey_server.client() as client:
            client.mset(kept)
        assert query(here, "Ada") == query(there, "Ada") == [("Charles", 0.75)]

        there.delete(f"/triples/{id_}").raise_for_status()
        assert query(here, "Ada") == query(there, "Ada") == []


def test_what_was_derived_is_seen_on_both_hosts_when_the_run_has_ended(
    hosts: StartHosts, valkey_server: ValkeyServer
) -> None:
    both = hosts(cache_ttl=60, measured=True)
    with both[0].client() as here, both[1].client() as there:
        rule = {"name": "path", "head": ["?x", "over", "?z"], "body": [["?x", "over", "?y"], ["?y", "over", "?z"]]}
        here.post("/rules", json=rule).raise_for_status()
        for subject, object_ in (("a", "b"), ("b", "c")):
            here.post(
                "/triples/add", json={"subject": subject, "predicate": "over", "object": object_}
            ).raise_for_status()
        assert [name for name, _ in query(there, "a", inferred=True)] == ["b"]
        until_kept(valkey_server)
        assert [name for name, _ in query(here, "a", inferred=True)] == ["b"]
        done = manage("recurse", variables=both[0].variables)
        assert done.returncode == 0, done.stderr
        for client in (there, here, there, here):
            assert sorted(name for name, _ in query(client, "a", inferred=True)) == ["b", "c"]
        deadline = monotonic() + 60
        while hits(both) < 2 and monotonic() < deadline:
            assert sorted(name for name, _ in query(here, "a", inferred=True)) == ["b", "c"]
        assert hits(both) >= 2


def restart(server: ValkeyServer) -> None:
    server.kill()
    server.start()


def pause(server: ValkeyServer) -> None:
    server.pause()
    sleep(0.5)
    server.resume()


def empty(server: ValkeyServer) -> None:
    with server.client() as client:
        client.flushall()


FAULTS = (restart, pause, empty)


async def test_no_answer_is_older_than_a_write_that_was_acknowledged_before_it_was_asked_for(
    hosts: StartHosts, valkey_server: ValkeyServer
) -> None:
    """Writers on both hosts count a weight up; readers on both note what they were told before they asked."""
    both = hosts(cache_ttl=60, measured=True)
    over = asyncio.Event()
    subjects = [f"counter-{number}" for number in range(3)]
    acknowledged = dict.fromkeys(subjects, 0.0)
    checked = 0

    async def write(subject: str, number: int) -> None:
        async with AsyncExitStack() as opened:
            clients = [
                await opened.enter_async_context(httpx.AsyncClient(base_url=one.url, headers=one.headers, timeout=30))
                for one in both
            ]
            for count in itertools.count(1):
                if over.is_set():
                    return
                fact = {"subject": subject, "predicate": "at", "object": "x", "weight": count / 10_000}
                answer = await clients[(count + number) % 2].post(
                    "/triples/add", json=fact | {"on_duplicate": "replace"}
                )
                assert answer.is_success, answer.text
                acknowledged[subject] = count / 10_000
                # Long enough for answers to be kept and given again in between.
                await asyncio.sleep(0.15)

    async def read(one: Service) -> None:
        nonlocal checked
        async with httpx.AsyncClient(base_url=one.url, headers=one.headers, timeout=30) as client:
            for subject in itertools.cycle(subjects):
                if over.is_set():
                    return
                least = acknowledged[subject]
                answer = await client.post("/query", json={"pattern": [subject, None, None]})
                assert answer.is_success, answer.text
                weights = [result["weight"] for result in answer.json()["results"]]
                assert (weights[0] if weights else 0.0) >= least
                checked += 1

    async with asyncio.TaskGroup() as group:
        for number, subject in enumerate(subjects):
            group.create_task(write(subject, number))
        for one in both * 2:
            group.create_task(read(one))
        for fault in FAULTS * 2:
            await asyncio.sleep(1)
            await asyncio.to_thread(fault, valkey_server)
        await until_up(both)
        await asyncio.sleep(1)
        over.set()
    assert checked > 100
    assert hits(both) > 10
