"""How often a group of writes waits for the server, and what becomes of statements that are sent together."""

import tempfile
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection

from tests.support.database import in_orm
from triples.models import Source
from triples.store.operations import AddMany, AddOne, Fact, ManyStored, Operation, Row, Stored
from triples.store.term_cache import TermCache

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


@pytest.fixture(autouse=True)
def on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is in this process")


def add(subject: str, object_: str = "o") -> AddOne:
    return AddOne(Fact(subject, "p", object_, 0.9, None, Source.API))


def committed(group: list[Operation], cache: TermCache | None = None) -> list[Any]:
    from triples.store.group_commit import commit_group

    return list(commit_group(group, cache or TermCache()))


def round_trips(work: Callable[[], Any]) -> int:
    """The number of times that the work waits for the server: it says each time that it is ready for the next."""
    with tempfile.TemporaryFile("w+") as trace:
        connection.ensure_connection()
        connection.connection.pgconn.trace(trace.fileno())
        try:
            work()
        finally:
            connection.connection.pgconn.untrace()
        trace.seek(0)
        return trace.read().count("ReadyForQuery")


def later_round_trips(first: list[Operation], later: list[Operation]) -> int:
    """Those of a group on a connection where another such group has prepared the statements."""
    committed(first)
    return round_trips(lambda: committed(later))


def test_a_group_of_new_terms_takes_four_round_trips() -> None:
    """BEGIN; looking for the terms, or taking numbers for them; the terms and the facts; the tallies and COMMIT."""
    assert in_orm(later_round_trips, [add("first")], [add(f"s{number}") for number in range(8)]) == 4


def test_a_batch_of_new_terms_takes_three() -> None:
    """BEGIN; looking for the terms; the terms, the facts, whose ids nobody needs, the tallies and COMMIT."""
    first, later = (AddMany([add(f"{of}{number}").fact for number in range(8)]) for of in "st")
    assert in_orm(later_round_trips, [first], [later]) == 3


def test_a_group_of_remembered_terms_takes_three() -> None:
    """BEGIN; the facts; the tallies and COMMIT."""
    first: list[Operation] = [add(f"s{number}", f"s{number + 1}") for number in range(8)]
    second: list[Operation] = [add(f"s{number}", f"s{number + 2}") for number in range(7)]

    def twice() -> int:
        cache = TermCache()
        committed(first, cache)
        return round_trips(lambda: committed(second, cache))

    assert in_orm(twice) == 3


def test_nothing_is_committed_if_a_tally_fails() -> None:
    """It is sent together with COMMIT, which the server then passes over."""

    def broken() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE triples_tally ADD CONSTRAINT broken CHECK (triples < 0) NOT VALID")
        try:
            return committed([add("s")])
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE triples_tally DROP CONSTRAINT broken")

    [result] = in_orm(broken)
    assert isinstance(result, DatabaseError)
    [again] = in_orm(lambda: committed([add("s")]))
    assert isinstance(again, Stored)
    assert again.status == "inserted"


@pytest.mark.parametrize("refused_one", [add("s"), AddMany([add("s").fact])])
def test_the_connection_goes_on_after_a_failure_in_the_middle(refused_one: Operation) -> None:
    """Facts whose ids nobody needs are sent together with COMMIT."""

    def broken() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE triples_triple ADD CONSTRAINT broken CHECK (weight < 0.5) NOT VALID")
        try:
            return committed([refused_one, AddMany([Fact("t", "p", "o", 0.1, None, Source.BATCH)])])
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE triples_triple DROP CONSTRAINT broken")

    refused, stored = in_orm(broken)
    assert isinstance(refused, DatabaseError)
    assert stored == ManyStored(1, [])
    [row] = in_orm(lambda: committed([add("t")]))
    assert isinstance(row.row, Row)
    assert row.status == "exists"


def test_a_statement_that_was_behind_a_failure_is_not_taken_for_prepared() -> None:
    """Groups fail again and again, each at the first of several statements, and then one does not."""

    def broken() -> list[Any]:
        cache = TermCache()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE triples_term ADD CONSTRAINT broken CHECK (text <> 'no') NOT VALID")
        try:
            for _ in range(7):
                [refused] = committed([AddMany([add("no").fact])], cache)
                assert isinstance(refused, DatabaseError)
            return committed([AddMany([add("yes").fact])], cache)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE triples_term DROP CONSTRAINT broken")

    assert in_orm(broken) == [ManyStored(1, [])]
