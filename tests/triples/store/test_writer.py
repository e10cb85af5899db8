"""The writer: what arrives together is committed together, and each is answered after its commit."""

import asyncio
import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection

from tests.support.database import disconnect_all, in_orm
from tests.triples.store.graphs import counted, fact, fresh_pool, stored_rows, tallied
from triples.store.operations import (
    AddMany,
    AddOne,
    Change,
    DuplicateFacts,
    ManyStored,
    NoSuchFact,
    Operation,
    Remove,
    Stored,
)
from triples.store.sqlite.prepared_writer import PreparingWriter
from triples.store.writer import SHARED_GROUP_FACTS, Writer

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

MakeWriter = Callable[..., Writer]


several_threads = partial(Writer, threads=3)


@pytest.fixture(params=[Writer, PreparingWriter, several_threads], ids=["one thread", "on the loop", "several threads"])
def make_writer(request: pytest.FixtureRequest) -> Iterator[MakeWriter]:
    made: list[Writer] = []
    if request.param is PreparingWriter and connection.vendor != "sqlite":
        pytest.skip("only SQLite's statements are so short")
    if request.param is several_threads and connection.vendor == "sqlite":
        pytest.skip("SQLite lets in one writer at a time")

    def make(patience: float = 30) -> Writer:
        made.append(request.param(patience))
        return made[-1]

    yield make
    for writer in made:
        writer.close()


@pytest.fixture
def writer(make_writer: MakeWriter) -> Writer:
    return make_writer()


@contextmanager
def held_lock() -> Iterator[None]:
    """The graph locked by somebody else: on SQLite this host's turn, on PostgreSQL the table."""
    if connection.vendor == "sqlite":
        with (Path(settings.ENV.state_dir) / "write.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    with psycopg.connect(settings.ENV.database_url) as other:
        other.execute("LOCK TABLE triples_triple IN EXCLUSIVE MODE")
        yield


@contextmanager
def held_database() -> Iterator[None]:
    """The database file locked by a program that knows nothing of turns."""
    import sqlite3

    other = sqlite3.connect(settings.DATABASES["default"]["NAME"], isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


async def test_a_write_is_answered_once_it_is_stored(writer: Writer) -> None:
    stored = await writer.write(AddOne(fact("a", weight=0.5, metadata='{"b":1}')))
    assert isinstance(stored, Stored)
    assert stored.status == "inserted"
    assert in_orm(stored_rows) == {("a", "p", "o"): stored.row}


async def test_a_client_reads_and_changes_what_it_wrote(writer: Writer) -> None:
    for number in range(20):
        stored: Any = await writer.write(AddOne(fact("a", weight=number / 20), replace=True))
        changed: Any = await writer.write(Change(stored.row.id, stored.row.created_ms, metadata='{"n":1}'))
        assert (changed.weight, changed.metadata) == (number / 20, '{"n":1}')
        await writer.write(Remove(stored.row.id, stored.row.created_ms))
        with pytest.raises(NoSuchFact):
            await writer.write(Remove(stored.row.id, stored.row.created_ms))
    assert in_orm(tallied) == (0, 0)


async def test_writes_that_wait_are_committed_together(writer: Writer) -> None:
    with held_lock() if connection.vendor == "sqlite" else nullcontext():
        writes = [asyncio.create_task(writer.write(AddOne(fact(f"s{number}")))) for number in range(50)]
        await asyncio.sleep(0)
        assert writer.depth == 50
    rows = [stored.row for stored in await asyncio.gather(*writes) if isinstance(stored, Stored)]
    if connection.vendor == "sqlite":
        assert len({row.created_ms for row in rows}) == 1
    assert writer.depth == 0
    assert in_orm(tallied) == (50, 50)


async def test_of_many_who_add_the_same_fact_one_inserts_it(writer: Writer) -> None:
    outcomes: list[Any] = await asyncio.gather(*(writer.write(AddOne(fact("a"))) for _ in range(200)))
    assert sorted(outcome.status for outcome in outcomes) == ["exists"] * 199 + ["inserted"]
    assert len({outcome.row.id for outcome in outcomes}) == 1


async def test_a_write_that_fails_leaves_its_neighbours_alone(writer: Writer) -> None:
    await writer.write(AddOne(fact("standing")))
    operations: list[Operation] = []
    for number in range(10):
        operations += [
            AddOne(fact(f"good {number}")),
            AddOne(fact(f"bad {number}", weight=2.0)),
            AddMany([fact(f"many {number}"), fact("standing")], skip_duplicates=False),
            Remove(10**9, 0),
        ]
    outcomes = await asyncio.gather(*map(writer.write, operations), return_exceptions=True)
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Stored, IntegrityError, DuplicateFacts, NoSuchFact] * 10
    assert in_orm(tallied) == in_orm(counted) == (11, 11)


async def test_a_writer_survives_whatever_an_operation_brings(writer: Writer) -> None:
    with pytest.raises(Exception, match="not an operation"):
        await writer.write(AddOne(_Bomb()))  # type: ignore[arg-type]  # what no caller sends
    assert isinstance(await writer.write(AddOne(fact("a"))), Stored)


class _Bomb:
    @property
    def subject(self) -> str:
        raise RuntimeError("not an operation")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("not an operation")

    def __getitem__(self, _index: object) -> str:
        raise RuntimeError("not an operation")


async def test_a_write_that_is_cancelled_before_it_begins_never_happens(writer: Writer) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL lets every writer begin at once")
    with held_lock():
        given_up = asyncio.create_task(writer.write(AddOne(fact("given up"))))
        kept = asyncio.create_task(writer.write(AddOne(fact("kept"))))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])
    await kept
    assert in_orm(stored_rows).keys() == {("kept", "p", "o")}


@pytest.mark.parametrize("lock", [held_lock, held_database])
async def test_a_lock_that_is_held_for_long_fails_the_write_and_later_ones_succeed(
    make_writer: MakeWriter, lock: Callable[[], AbstractContextManager[None]]
) -> None:
    if lock is held_database and connection.vendor != "sqlite":
        pytest.skip("only SQLite has one lock for all")
    impatient = make_writer(patience=0.2)
    await impatient.write(AddOne(fact("before")))
    with lock():
        writes = [impatient.write(AddOne(fact(f"during {number}"))) for number in range(3)]
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [OperationalError] * 3
        assert impatient.depth == 0
    assert isinstance(await impatient.write(AddOne(fact("after"))), Stored)
    assert in_orm(tallied) == in_orm(counted)


async def test_large_batches_are_committed_beside_each_other_and_small_writes_together() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite lets in one writer at a time")
    writer = several_threads(30)
    try:
        await writer.write(AddOne(fact("first")))
        # The lock lets each begin, and keeps it from its end until all have begun.
        with held_lock():
            small = [asyncio.create_task(writer.write(AddOne(fact(f"small {number}")))) for number in range(50)]
            await until_they_wait(1)
            assert writer.open_connections == 1
            batches = [[fact(f"large {number} {each}") for each in range(SHARED_GROUP_FACTS)] for number in range(3)]
            large = [asyncio.create_task(writer.write(AddMany(batch))) for batch in batches]
            await until_they_wait(3)
        assert {type(outcome) for outcome in await asyncio.gather(*small, *large)} == {Stored, ManyStored}
    finally:
        await asyncio.to_thread(writer.close)
    facts = 51 + 3 * SHARED_GROUP_FACTS
    assert in_orm(tallied) == in_orm(counted) == (facts, facts)


async def until_they_wait(number: int) -> None:
    """Wait until so many connections wait for a lock of the table."""
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'triples_triple'::regclass AND NOT granted"
    with psycopg.connect(settings.ENV.database_url, autocommit=True) as other:
        async with asyncio.timeout(20):
            while other.execute(waiting).fetchone() != (number,):
                await asyncio.sleep(0.01)


async def test_closing_commits_what_is_queued(make_writer: MakeWriter) -> None:
    writer = make_writer()
    writes = [asyncio.create_task(writer.write(AddOne(fact(f"s{number}")))) for number in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(writer.close)
    await asyncio.gather(*writes)
    assert in_orm(counted) == (20, 20)


async def test_a_lost_connection_costs_no_write(writer: Writer) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a file cannot be disconnected from")
    fresh_pool()
    for number in range(3):
        stored = await writer.write(AddOne(fact(f"s{number}")))
        assert isinstance(stored, Stored)
        disconnect_all()
    assert isinstance(await writer.write(AddOne(fact("last"))), Stored)
    assert writer.open_connections == 1
