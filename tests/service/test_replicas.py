"""Read replicas: what is read where, what a client can rely on, and what a lost replica changes."""

import asyncio
import itertools
import signal
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from skg_site.client import Client
from tests.service.replicated import Replicated, until
from tests.service.wire import eventually
from tests.support.environment import service_variables
from tests.support.postgresql import TestServer, create_database
from tests.support.service import KEY, Service, manage
from tests.support.standby import Standby
from tests.support.valkey import ValkeyServer
from triples.store.inferred.layout import FACTS

MOST_LAG = 1.0
_numbers = itertools.count()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicated]:
    """One worker, so that the turns of replicas and the memory of connections are the same for all requests."""
    server, standbys, valkey = TestServer(), [], ValkeyServer()
    valkey.start()
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            # Nothing reaches a replica before it is flushed.
            connection.execute("ALTER SYSTEM SET synchronous_commit = on")
            connection.execute("SELECT pg_reload_conf()")
        folder = tmp_path_factory.mktemp("replicated")
        url = create_database(server.url, "replicated")
        migrated = manage("migrate", "--no-input", variables=service_variables(folder, database_url=url))
        assert migrated.returncode == 0, migrated.stderr
        standbys = [Standby(server)]
        one = Service(
            folder,
            database_url=url,
            database_replica_urls=[standby.url(url) for standby in standbys],
            replica_max_lag=MOST_LAG,
            redis_url=valkey.url,
            cache_ttl=60,
            query_timeout=5,
        )
        one.start()
        yield Replicated(one, server, url, standbys)
        one.end()
        assert "Traceback" not in one.log_text
    finally:
        for standby in standbys:
            standby.end()
        server.stop()
        valkey.end()


@pytest.fixture
def ready(scene: Replicated) -> Iterator[Replicated]:
    """The replica is in use and has everything, before the test and after it."""
    until(lambda: scene.in_use() == len(scene.standbys))
    scene.caught_up()
    yield scene
    for standby in scene.standbys:
        standby.resume(scene.url)


@pytest.fixture
def stale(ready: Replicated) -> Replicated:
    """The replica replays nothing more."""
    for standby in ready.standbys:
        standby.pause(ready.url)
    return ready


def subject() -> str:
    return f"subject {next(_numbers)}"


def add(client: httpx.Client, name: str) -> httpx.Response:
    return client.post("/triples/add", json={"subject": name, "predicate": "p", "object": "o"}).raise_for_status()


def total(client: httpx.Client, name: str, **headers: str) -> int:
    answer = client.post("/query", json={"pattern": [name, None, None]}, headers=headers).raise_for_status()
    return int(answer.json()["total"])


def test_a_read_goes_to_the_replica_until_its_writer_needs_more(stale: Replicated) -> None:
    name = subject()
    with stale.client() as writer, stale.client() as other:
        token = add(writer, name).headers["SKG-Snapshot"]
        assert total(other, name) == 0
        assert total(other, name, **{"SKG-Snapshot": token}) == 1
        assert total(writer, name) == 1
        assert total(other, name) == 0


def test_a_token_is_waited_for_while_the_replica_keeps_up(ready: Replicated) -> None:
    """The replica answers reads of what was written a moment before. Beside a load it may not keep up with some."""
    before = ready.metric("skg_reads_total", target="replica_1")
    with ready.client() as writer, ready.client() as other:

        def written_and_read() -> bool:
            name = subject()
            token = add(writer, name).headers["SKG-Snapshot"]
            assert total(other, name, **{"SKG-Snapshot": token}) == 1
            # Others read, too: the samples of metrics, some times in all.
            return ready.metric("skg_reads_total", target="replica_1") - before >= 30

        until(written_and_read)


def test_the_client_keeps_the_greatest_token(stale: Replicated) -> None:
    name = subject()
    # Each request on a connection of its own, as behind a proxy.
    with Client(stale.one.url, KEY) as client:
        client._http.headers["Connection"] = "close"
        client.add(name, "p", "o")
        assert client.query(name)["total"] == 1
        assert "SKG-Snapshot" in client._snapshot.headers


@pytest.mark.parametrize("token", ["", "x", "1/", "0/1/2", "123456789/0", "0x1/2", "-1/2", "ff/ff", "0/1 0/2"])
def test_a_malformed_token_is_refused_by_its_name(scene: Replicated, token: str) -> None:
    with scene.client() as client:
        answer = client.post("/query", json={"pattern": [None, None, None]}, headers={"SKG-Snapshot": token})
    assert answer.status_code == 400
    assert "SKG-Snapshot" in answer.json()["detail"]


def test_a_token_of_the_future_is_answered_by_the_primary(ready: Replicated) -> None:
    name = subject()
    with ready.client() as client:
        add(client, name)
        assert total(client, name, **{"SKG-Snapshot": "FFFFFFFF/FFFFFFFF"}) == 1


def test_every_kind_of_read_works_on_a_replica(ready: Replicated) -> None:
    failed = ready.metric("skg_replica_failed_reads_total")
    with ready.client() as client:
        for pair in (("a", "b"), ("b", "c"), ("c", "d")):
            body = dict(zip(("subject", "predicate", "object"), (pair[0], "next", pair[1]), strict=True))
            client.post("/triples/add", json=body).raise_for_status()
        rule = {"name": "twice", "head": ["?x", "twice", "?z"], "body": [["?x", "next", "?y"], ["?y", "next", "?z"]]}
        client.post("/rules", json=rule).raise_for_status()
        run = client.post("/recurse", headers={"Prefer": "wait=60"}).raise_for_status()
        assert run.json()["status"] == "succeeded"
        token = {"SKG-Snapshot": run.headers["SKG-Snapshot"]}
    ready.caught_up()
    with ready.client() as client:
        client.headers.update(token)
        listed = client.get("/triples", params={"inferred": "true", "count": "exact"}).raise_for_status().json()
        assert listed["total"] == 2
        fact = listed["triples"][0]["id"]
        client.get(f"/triples/{fact}").raise_for_status()
        client.get(f"/triples/{fact}/explain").raise_for_status()
        patterns = {"patterns": [["?x", "twice", "?y"], ["?x", "next", "?z"]], "count": True}
        assert client.post("/query/patterns", json=patterns).raise_for_status().json()["total"] == 2
        paths = client.post("/query/paths", json={"from": "a", "to": "d"}).raise_for_status().json()
        assert paths["paths"]
        around = client.post("/query/neighbours", json={"term": "a"}).raise_for_status().json()
        assert around["facts"]
        assert client.get("/terms", params={"search": "twise"}).raise_for_status().json()["terms"]
        assert client.get("/predicates").raise_for_status().json()["predicates"]
        assert client.get("/stats").raise_for_status().json()["total_triples"] >= 3
    assert ready.metric("skg_replica_failed_reads_total") == failed


def test_a_kept_answer_is_never_older_than_its_token(stale: Replicated) -> None:
    """Valkey has answers of two states here: that of the replica, which stands still, and the primary's."""
    name = subject()
    with stale.client() as writer, stale.client() as other:
        for _ in range(3):
            assert total(other, name) == 0
        token = add(writer, name).headers["SKG-Snapshot"]
        for _ in range(3):
            assert total(other, name, **{"SKG-Snapshot": token}) == 1
            assert total(other, name) == 0
    stale.standbys[0].resume(stale.url)
    stale.caught_up()
    with stale.client() as other:
        until(lambda: total(other, name) == 1)


def test_a_deletion_sees_the_newest(stale: Replicated) -> None:
    name = subject()
    with stale.client() as writer, stale.client() as other:
        add(writer, name)
        found = other.post("/triples/delete", json={"pattern": [name, None, None]}).raise_for_status().json()
        assert found["facts"] == 1
        gone = other.post("/triples/delete", json={"pattern": [name, None, None], "dry_run": False})
        assert gone.raise_for_status().json()["facts"] == 1
        assert total(other, name) == 0


def test_a_replica_that_lags_is_left_alone_until_it_has_caught_up(stale: Replicated) -> None:
    name = subject()
    with stale.client() as writer, stale.client() as other:
        add(writer, name)
        until(lambda: stale.in_use() == 0)
        assert total(other, name) == 1
        assert stale.metric("skg_replica_lag_seconds", replica="replica_1") >= 0
        stale.standbys[0].resume(stale.url)
        until(lambda: stale.in_use() == 1)


def test_an_idle_primary_makes_no_replica_lag(ready: Replicated) -> None:
    """Although nothing of any client comes for longer than a replica may lag: there is nothing to replay."""
    with psycopg.connect(ready.url) as driver:
        driver.execute("SELECT pg_sleep(%s)", [2 * MOST_LAG])
    # A look at it that took too long, beside a load, is followed by another one.
    assert eventually(lambda: ready.in_use() == 1)


def test_operators_are_told_of_each_replica(ready: Replicated) -> None:
    def checked() -> tuple[int, str]:
        done = manage("system_check", "--only", "replicas", "--strict", variables=ready.one.variables)
        return done.returncode, done.stdout

    code, text = checked()
    assert (code, "replica_1" in text, "seconds behind" in text) == (0, True, True)
    ready.standbys[0].pause(ready.url)
    with ready.client() as client:
        add(client, subject())
    code, text = checked()
    assert (code, "lags by more than 1 seconds" in text) == (2, True)
    with ready.standbys[0].stopped():
        code, text = checked()
    assert (code, "cannot be reached" in text) == (2, True)


def test_reads_go_on_while_a_replica_is_killed_and_comes_back(ready: Replicated) -> None:
    name = subject()
    with ready.client() as client:
        add(client, name)
        ready.caught_up()
        with ready.standbys[0].stopped():
            for _ in range(10):
                assert total(client, name) == 1
            # A read that fails or the next look tells that it is gone. That is no reason to be less than ready.
            until(lambda: ready.in_use() == 0)
            assert httpx.get(f"{ready.one.url}/ready").status_code == 200
        until(lambda: ready.in_use() == 1)
        before = ready.metric("skg_reads_total", target="replica_1")
        assert total(client, name) == 1
        until(lambda: ready.metric("skg_reads_total", target="replica_1") > before)


def test_reads_do_not_wait_for_a_replica_that_stands_still(ready: Replicated) -> None:
    name = subject()
    with ready.client() as client:
        add(client, name)
    ready.caught_up()
    with ready.client() as client:
        ready.standbys[0].signal(signal.SIGSTOP)
        try:
            # The first waits until it is noticed, less than the time limit of reads.
            until(lambda: total(client, name) == 1 and ready.in_use() == 0)
            began = time.monotonic()
            for _ in range(10):
                assert total(client, name) == 1
            assert time.monotonic() - began < 1
        finally:
            ready.standbys[0].signal(signal.SIGCONT)
        until(lambda: ready.in_use() == 1)


async def test_a_read_that_is_in_the_way_of_the_replay_is_answered_by_the_primary(ready: Replicated) -> None:
    """A run locks the table of inferred facts. When a replica replays that, it cancels those who read the table."""
    standby, statuses = ready.standbys[0], set()
    with psycopg.connect(standby.url(ready.url), autocommit=True) as driver:
        driver.execute("ALTER SYSTEM SET max_standby_streaming_delay = 0")
        driver.execute("SELECT pg_reload_conf()")
    with ready.client() as client:
        rows = [{"subject": "hub", "predicate": "q", "object": f"s{number}"} for number in range(100)]
        client.post("/triples/batch", json={"triples": rows}).raise_for_status()
        assert client.post("/recurse", headers={"Prefer": "wait=60"}).is_success
    ready.caught_up()
    failed = ready.metric("skg_replica_failed_reads_total")
    done = asyncio.Event()

    async def read() -> None:
        async with httpx.AsyncClient(base_url=ready.one.url, headers=ready.one.headers, timeout=30) as client:
            while not done.is_set():
                answer = await client.post("/query/neighbours", json={"term": "hub"})
                statuses.add(answer.status_code)

    async with asyncio.TaskGroup() as group, await psycopg.AsyncConnection.connect(ready.url) as primary:
        for _ in range(4):
            group.create_task(read())
        async with asyncio.timeout(30):
            while await asyncio.to_thread(ready.metric, "skg_replica_failed_reads_total") == failed:
                for _ in range(50):
                    await primary.execute(f"LOCK TABLE {FACTS} IN ACCESS EXCLUSIVE MODE")
                    await primary.commit()
                    await asyncio.sleep(0.01)
        done.set()
    assert statuses == {200}
