"""Writers that meet over the same terms, subjects and facts on PostgreSQL, where all of them work at once."""

import random
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event
from time import sleep
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction

from tests.support.database import in_orm
from tests.triples.store.graphs import committed, counted, fact, store, stored_rows, tallied
from triples.store.group_commit import write_now
from triples.store.operations import (
    AddMany,
    AddOne,
    Change,
    Fact,
    ManyStored,
    Operation,
    Outcome,
    Remove,
    Row,
    StoreError,
)

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

THREADS = 4
ROUNDS = 30


def in_threads(work: list[list[Operation]]) -> list[list[Outcome | Exception]]:
    """The outcomes of groups that are committed at the same time, each in a thread of its own."""
    barrier = Barrier(len(work))

    def run(operations: list[Operation]) -> list[Outcome | Exception]:
        barrier.wait()
        try:
            return committed(operations)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as threads:
        return list(threads.map(run, work))


def test_no_two_writers_wait_for_each_other_in_a_circle() -> None:
    dice = random.Random(4)
    rows: list[Row] = []
    for number in range(ROUNDS):
        work = [[_operation(dice, number, rows) for _ in range(dice.randrange(1, 6))] for _ in range(THREADS)]
        outcomes = [outcome for group in in_threads(work) for outcome in group]
        assert [
            outcome for outcome in outcomes if isinstance(outcome, Exception) and not isinstance(outcome, StoreError)
        ] == []
        assert in_orm(tallied) == in_orm(counted)
        rows = list(in_orm(stored_rows).values())


def test_a_writer_that_the_server_takes_for_the_victim_of_a_circle_tries_again() -> None:
    """Our own locks make none; somebody's, who locks terms in another order, may."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one lock for all")
    in_orm(store, fact("a"), fact("b"))

    def write() -> list[Outcome | Exception]:
        with connection.cursor() as cursor:
            cursor.execute("SET deadlock_timeout = '400ms'")
        try:
            return committed([AddMany([fact("a", object_="new"), fact("b", object_="new")])])
        finally:
            connection.close()

    lock = "SELECT 1 FROM triples_term WHERE text = %s FOR UPDATE"
    with psycopg.connect(settings.ENV.database_url) as other, ThreadPoolExecutor(1) as thread:
        other.execute("SET LOCAL deadlock_timeout = '30s'")
        other.execute(lock, ["b"])
        waiting = thread.submit(write)
        in_orm(until_blocked, waiting)
        # It has locked "a", and is rolled back now.
        other.execute(lock, ["a"])
        other.rollback()
        assert waiting.result(20) == [ManyStored(2, [])]
    assert in_orm(tallied) == in_orm(counted) == (4, 2)


def _operation(dice: random.Random, number: int, rows: list[Row]) -> Operation:
    def some_fact() -> Fact:
        return fact(f"s{number - dice.randrange(3)} {dice.randrange(4)}", "p", f"o{dice.randrange(5)}", dice.random())

    kind = dice.random()
    if kind < 0.3 or not rows:
        return AddOne(some_fact(), replace=dice.random() < 0.5)
    if kind < 0.6:
        return AddMany([some_fact() for _ in range(10)], skip_duplicates=dice.random() < 0.7)
    row = dice.choice(rows)
    if kind < 0.8:
        return Change(row.id, row.created_ms, weight=dice.random())
    return Remove(row.id, row.created_ms)


class Overlap:
    """Two writers at once: the first holds its transaction open until the second waits for one of its locks."""

    def __init__(self) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite lets in one writer at a time")
        self._threads = ThreadPoolExecutor(2)
        self._held, self._release = Event(), Event()

    def run(self, first: Operation, second: Operation) -> tuple[Outcome | Exception, Outcome | Exception]:
        holding = self._threads.submit(self._hold, first)
        assert self._held.wait(10)
        waiting = self._threads.submit(self._commit, second)
        try:
            in_orm(until_blocked, waiting)
        finally:
            self._release.set()
        return holding.result(10), waiting.result(10)

    def _hold(self, operation: Operation) -> Outcome:
        with transaction.atomic():
            [outcome] = write_now([operation])
            self._held.set()
            self._release.wait(10)
        connection.close()
        return outcome

    def _commit(self, operation: Operation) -> Outcome | Exception:
        [outcome] = committed([operation])
        connection.close()
        return outcome


def until_blocked(waiting: Future[Any]) -> None:
    """Wait until the second writer waits for a lock of the first."""
    with connection.cursor() as cursor:
        while not waiting.done():
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            sleep(0.01)
    raise AssertionError(f"nobody waited: {waiting.result()}")


def _row(subject: str, object_: str = "o") -> Row:
    return in_orm(stored_rows)[subject, "p", object_]


def test_a_subject_that_two_writers_bring_at_once_is_counted_once() -> None:
    Overlap().run(AddOne(fact("new", object_="a")), AddOne(fact("new", object_="b")))
    assert in_orm(tallied) == in_orm(counted) == (2, 1)


def test_a_first_fact_is_counted_once_when_two_writers_bring_one_for_an_older_term() -> None:
    in_orm(store, fact("x", object_="old"))
    Overlap().run(AddOne(fact("old", object_="a")), AddOne(fact("old", object_="b")))
    assert in_orm(tallied) == in_orm(counted) == (3, 2)


def test_a_fact_that_two_writers_bring_at_once_is_stored_once() -> None:
    outcomes = Overlap().run(AddOne(fact("a", weight=0.1)), AddOne(fact("a", weight=0.9)))
    assert [getattr(outcome, "status", outcome) for outcome in outcomes] == ["inserted", "exists"]
    assert _row("a").weight == 0.1


def test_a_strict_batch_sees_the_fact_that_it_waited_for() -> None:
    _, refused = Overlap().run(AddOne(fact("a")), AddMany([fact("b"), fact("a")], skip_duplicates=False))
    assert getattr(refused, "places", refused) == [1]
    assert in_orm(stored_rows).keys() == {("a", "p", "o")}


def test_a_fact_that_is_removed_meanwhile_is_inserted_again() -> None:
    in_orm(store, fact("a", weight=0.1), fact("a", object_="other"))
    row = _row("a")
    _, added = Overlap().run(Remove(row.id, row.created_ms), AddOne(fact("a", weight=0.9), replace=True))
    assert getattr(added, "status", added) == "inserted"
    assert in_orm(tallied) == in_orm(counted) == (2, 1)


def test_the_last_fact_of_a_subject_is_the_last_for_one_writer_only() -> None:
    in_orm(store, fact("a"), fact("a", object_="other"))
    one, other = _row("a"), _row("a", "other")
    Overlap().run(Remove(one.id, one.created_ms), Remove(other.id, other.created_ms))
    assert in_orm(tallied) == in_orm(counted) == (0, 0)


def test_a_change_sees_the_version_that_it_waited_for() -> None:
    in_orm(store, fact("a", weight=0.1))
    row = _row("a")
    named = frozenset({row.version})
    first = Change(row.id, row.created_ms, weight=0.2, versions=named)
    _, second = Overlap().run(first, Change(row.id, row.created_ms, weight=0.3, versions=named))
    assert type(second).__name__ == "VersionMismatch"
    assert _row("a").weight == 0.2


def test_a_fact_that_was_removed_meanwhile_cannot_be_changed() -> None:
    in_orm(store, fact("a"))
    row = _row("a")
    _, changed = Overlap().run(Remove(row.id, row.created_ms), Change(row.id, row.created_ms, weight=0.3))
    assert type(changed).__name__ == "NoSuchFact"
