"""A service whose way to PostgreSQL leads through a PgBouncer in transaction pooling."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
import pytest

from tests.service.load import (
    assert_each_request_is_whole_or_missing,
    stored_facts,
    writing,
)
from tests.support.environment import service_variables
from tests.support.pgbouncer import PgBouncer
from tests.support.postgresql import create_database
from tests.support.service import Service, manage
from triples.store.postgresql.initial_load import FEWEST_FACTS

CLIENTS = 6
SECONDS = 0.7
_numbers = itertools.count()


class Pooled(NamedTuple):
    one: Service
    bouncer: PgBouncer


@pytest.fixture(scope="module")
def pooled(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pooled]:
    """Migrated through PgBouncer, too."""
    bouncer = PgBouncer(postgresql)
    try:
        bouncer.start()
        folder, name = tmp_path_factory.mktemp("pooled"), "pooled"
        direct = create_database(postgresql, name)
        urls: dict[str, Any] = {"database_url": bouncer.url(name), "database_direct_url": direct}
        migrated = manage("migrate", "--no-input", variables=service_variables(folder, **urls))
        assert migrated.returncode == 0, migrated.stderr
        one = Service(folder, workers=2, pool_timeout=5, **urls)
        one.start()
        yield Pooled(one, bouncer)
        one.end()
        assert "Traceback" not in one.log_text
    finally:
        bouncer.end()


async def many(one: Service, times: int, path: str, body: object) -> list[httpx.Response]:
    """The same request at once on several connections, so that transactions take turns on those of the server."""
    async with httpx.AsyncClient(base_url=one.url, headers=one.headers, timeout=30) as client:
        rounds = [client.post(path, json=body) for _ in range(times)]
        return await asyncio.gather(*rounds)


async def test_statements_that_are_sent_often_go_on(pooled: Pooled) -> None:
    """psycopg prepares what it has sent five times, on whichever connection of the server that was."""
    for number in range(12):
        fact = {"subject": f"often {number}", "predicate": "p", "object": "o"}
        batch = [fact | {"object": f"o {other}"} for other in range(20)]
        assert {answer.status_code for answer in await many(pooled.one, 4, "/triples/add", fact)} <= {200, 201}
        assert {each.status_code for each in await many(pooled.one, 4, "/triples/batch", {"triples": batch})} == {202}
        answers = await many(pooled.one, 8, "/query", {"pattern": [f"often {number}", None, None]})
        assert [answer.json()["total"] for answer in answers] == [21] * 8


def test_a_run_and_all_that_reads_its_facts(pooled: Pooled) -> None:
    with pooled.one.client() as client:
        for pair in (("a", "b"), ("b", "c"), ("c", "d")):
            body = {"subject": pair[0], "predicate": "next", "object": pair[1]}
            client.post("/triples/add", json=body).raise_for_status()
        client.post("/rules", json={"transitive": "next"}).raise_for_status()
        run = client.post("/recurse", headers={"Prefer": "wait=60"}).raise_for_status().json()
        assert run["status"] == "succeeded"
        for _ in range(12):
            found = client.post("/query", json={"pattern": ["a", "next", None]}).raise_for_status().json()
            assert found["total"] == 3
            paths = client.post("/query/paths", json={"from": "a", "to": "d"}).raise_for_status().json()
            assert paths["paths"]
            assert client.get("/terms", params={"search": "nxet"}).raise_for_status().json()["terms"]
        gone = client.post("/triples/delete", json={"pattern": ["b", "next", "c"], "dry_run": False})
        assert gone.raise_for_status().json()["facts"] == 1
        found = client.post("/query", json={"pattern": ["a", "next", None]}).raise_for_status().json()
        assert found["total"] == 1


def test_without_the_direct_way_neither_migrate_nor_the_service_starts(pooled: Pooled, tmp_path: Path) -> None:
    variables = service_variables(tmp_path, database_url=pooled.bouncer.url("pooled"))
    for command in ("migrate", "recurse"):
        done = manage(command, variables=variables)
        assert done.returncode == 1, command
        assert "SKG_DATABASE_DIRECT_URL" in done.stderr, command
        assert "Traceback" not in done.stderr, command
    one = Service(tmp_path, database_url=pooled.bouncer.url("pooled"))
    one.launch()
    assert one.process is not None
    assert one.process.wait(60) == 3
    assert "SKG_DATABASE_DIRECT_URL" in one.log_text


async def test_nothing_acknowledged_is_lost_when_it_is_restarted(pooled: Pooled) -> None:
    one = pooled.one
    before = set(stored_facts(one))
    async with writing(one, CLIENTS, "restarted ") as ledger:
        await ledger.fill(SECONDS)
        await asyncio.to_thread(pooled.bouncer.stop)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(pooled.bouncer.start)
        await ledger.fill(SECONDS)
    one.wait_until_ready()
    found = [fact for fact in stored_facts(one) if fact not in before]
    assert ledger.other_answers.keys() <= {503}
    assert not ledger.answered.difference(found)
    assert_each_request_is_whole_or_missing(ledger, found)


def test_the_first_facts_of_a_graph_are_imported(
    postgresql: str, pooled: Pooled, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Enough of them for tables without indexes; and then for one more slice."""
    folder = tmp_path_factory.mktemp("first")
    direct = create_database(postgresql, "first")
    variables = service_variables(folder, database_url=pooled.bouncer.url("first"), database_direct_url=direct)
    assert manage("migrate", "--no-input", variables=variables).returncode == 0
    for first, last in ((0, FEWEST_FACTS), (FEWEST_FACTS, FEWEST_FACTS + 100)):
        file = folder / f"{first}.tsv"
        file.write_text("".join(f"s{number % 100}\tp\t{number}\n" for number in range(first, last)))
        imported = manage("import_triples", str(file), "--json", variables=variables)
        assert imported.returncode == 0, imported.stderr
        assert orjson.loads(imported.stdout)["inserted"] == last - first
