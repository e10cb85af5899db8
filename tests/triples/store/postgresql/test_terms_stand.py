"""A fact has terms that stand, whoever writes to PostgreSQL: its triggers hold what foreign keys would."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg.errors import FeatureNotSupported, ForeignKeyViolation

from tests.conftest import FreshDatabase
from tests.support.database import in_orm
from tests.support.environment import service_variables
from tests.support.service import manage
from tests.triples.store.graphs import committed, counted, fact, store, stored_rows, tallied
from tests.triples.store.test_races import until_blocked
from triples.store.operations import AddMany, AddOne, ManyStored, Operation, Remove
from triples.store.postgresql.term_blocks import HAS_TERM
from triples.store.term_cache import TermCache
from triples.store.unused_terms import remove_unused_terms

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

Driver = psycopg.Connection[Any]
ADD = (
    "INSERT INTO triples_triple (subject_id, predicate_id, object_id, weight, source, created_at)"
    " VALUES (%s, %s, %s, 1, 1, 1)"
)
DELETE = "DELETE FROM triples_term WHERE id = %s"


@pytest.fixture(autouse=True)
def on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has foreign keys")


@pytest.fixture
def terms() -> dict[str, int]:
    """Those of a fact, and others that no fact has."""
    in_orm(store, fact("s"))
    with psycopg.connect(settings.ENV.database_url) as driver:
        driver.execute("INSERT INTO triples_term (text) SELECT unnest(%s::text[])", [["free", "other"]])
        return dict(driver.execute("SELECT text, id FROM triples_term").fetchall())


@pytest.fixture
def drivers() -> Iterator[tuple[Driver, Driver]]:
    with psycopg.connect(settings.ENV.database_url) as one, psycopg.connect(settings.ENV.database_url) as other:
        yield one, other
        one.rollback()
        other.rollback()


@pytest.mark.parametrize("place", range(3))
def test_a_fact_without_one_of_its_terms_is_refused(
    drivers: tuple[Driver, Driver], terms: dict[str, int], place: int
) -> None:
    ids = [terms["free"], terms["p"], terms["other"]]
    ids[place] = 10**15
    with pytest.raises(ForeignKeyViolation):
        drivers[0].execute(ADD, ids)


@pytest.mark.parametrize("column", ["subject_id", "predicate_id", "object_id"])
def test_a_fact_is_given_only_terms_that_stand(
    drivers: tuple[Driver, Driver], terms: dict[str, int], column: str
) -> None:
    one, _ = drivers
    one.execute(f"UPDATE triples_triple SET {column} = %s, weight = 0.5".encode(), [terms["free"]])
    with pytest.raises(ForeignKeyViolation):
        one.execute(f"UPDATE triples_triple SET {column} = %s".encode(), [10**15])


@pytest.mark.parametrize("text", ["s", "p", "o"])
@pytest.mark.parametrize("statement", [DELETE, "UPDATE triples_term SET id = id + 1000000 WHERE id = %s"])
def test_no_term_goes_while_a_fact_has_it(
    drivers: tuple[Driver, Driver], terms: dict[str, int], text: str, statement: str
) -> None:
    one, _ = drivers
    one.execute(statement.encode(), [terms[text]])
    with pytest.raises(ForeignKeyViolation):
        one.commit()
    one.execute("TRUNCATE triples_triple, triples_term")
    one.rollback()
    with pytest.raises(ForeignKeyViolation):
        one.execute("TRUNCATE triples_term")


def test_terms_may_go_before_their_facts_in_the_same_transaction(
    drivers: tuple[Driver, Driver], terms: dict[str, int]
) -> None:
    one, _ = drivers
    one.execute("DELETE FROM triples_term")
    one.execute("DELETE FROM triples_triple")
    one.commit()
    assert in_orm(stored_rows) == {}


def test_a_snapshot_that_hides_later_facts_is_none_to_delete_terms_by(
    drivers: tuple[Driver, Driver], terms: dict[str, int]
) -> None:
    one, _ = drivers
    one.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    one.execute(DELETE, [terms["free"]])
    with pytest.raises(FeatureNotSupported):
        one.commit()


def test_a_term_of_a_fact_that_is_not_committed_yet_is_not_deleted(
    drivers: tuple[Driver, Driver], terms: dict[str, int]
) -> None:
    adding, deleting = drivers
    adding.execute(ADD, [terms["free"], terms["p"], terms["o"]])

    def delete() -> None:
        deleting.execute(DELETE, [terms["free"]])
        deleting.commit()

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(delete)
        in_orm(until_blocked, waiting)
        adding.commit()
        with pytest.raises(ForeignKeyViolation):
            waiting.result(10)
    assert ("free", "p", "o") in in_orm(stored_rows)


def test_a_fact_waits_for_a_term_that_is_being_deleted(drivers: tuple[Driver, Driver], terms: dict[str, int]) -> None:
    adding, deleting = drivers
    deleting.execute(DELETE, [terms["free"]])
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(adding.execute, ADD, [terms["free"], terms["p"], terms["o"]])
        in_orm(until_blocked, waiting)
        deleting.commit()
        with pytest.raises(ForeignKeyViolation):
            waiting.result(10)


@pytest.mark.parametrize("kept", [True, False])
def test_of_many_terms_some_of_which_another_writer_makes_each_is_made_once(
    drivers: tuple[Driver, Driver], kept: bool
) -> None:
    other, _ = drivers
    other.execute("INSERT INTO triples_term (text) VALUES ('s07'), ('s30')")
    batch: list[Operation] = [AddMany([fact(f"s{number:02}") for number in range(40)])]

    def write() -> list[Any]:
        try:
            return list(committed(batch))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(write)
        in_orm(until_blocked, waiting)
        (other.commit if kept else other.rollback)()
        assert waiting.result(10) == [ManyStored(40, [])]
    assert len(in_orm(stored_rows)) == 40
    assert in_orm(tallied) == in_orm(counted) == (40, 40)
    indexed = f"EXISTS (SELECT 1 FROM triples_term_search AS b WHERE {HAS_TERM.format('t.id')})"
    searched = f"SELECT count(*), count(*) FILTER (WHERE {indexed}) FROM triples_term AS t".encode()
    # The other program does not index its terms.
    assert other.execute(searched).fetchone() == (42, 40 if kept else 42)


@pytest.mark.parametrize("strict", [False, True])
def test_a_remembered_term_that_is_gone_is_made_again(strict: bool) -> None:
    cache = TermCache()
    [stored] = in_orm(committed, [AddOne(fact("s"))], cache)
    row = getattr(stored, "row")  # noqa: B009  # of one kind of outcome
    in_orm(committed, [Remove(row.id, row.created_ms)], cache)
    assert in_orm(remove_unused_terms, [], lambda _done, _all: None, dry=False) == 3
    again: list[Operation] = [AddMany([fact("s"), fact("new")], skip_duplicates=not strict)]
    assert in_orm(committed, again, cache) == [ManyStored(2, [])]
    assert in_orm(stored_rows).keys() == {("s", "p", "o"), ("new", "p", "o")}
    assert in_orm(tallied) == in_orm(counted) == (2, 2)


@pytest.mark.process
def test_the_migration_can_be_taken_back_and_made_again(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    variables = service_variables(tmp_path, **database)
    held = (
        "SELECT (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'triples_triple'::regclass),"
        " (SELECT count(*) FROM pg_trigger WHERE tgname IN"
        " ('terms_stand', 'changed_terms_stand', 'no_fact_left', 'no_facts_left'))"
    )
    with psycopg.connect(database["database_url"], autocommit=True) as driver:
        for target, expected in (("0009", (3, 0)), ("0010", (0, 4))):
            done = manage("migrate", "triples", target, "--no-input", variables=variables)
            assert done.returncode == 0, done.stderr
            assert driver.execute(held).fetchone() == expected
