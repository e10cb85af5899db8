"""Limits of time on the server itself."""

from collections.abc import Iterator
from time import monotonic

import psycopg
import pytest
from django.conf import settings
from django.db import InternalError, OperationalError, connection

from tests.conftest import ChangeSettings
from tests.support.database import in_orm
from triples.models import Source
from triples.store.operations import AddOne, Fact, Stored

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


@pytest.fixture(autouse=True)
def on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one lock, whose wait is limited by itself")


@pytest.fixture
def other() -> Iterator[psycopg.Connection[tuple[int, ...]]]:
    """A connection of somebody else, in a transaction."""
    with psycopg.connect(settings.ENV.database_url) as driver:
        yield driver
        driver.rollback()


def add() -> object:
    from triples.store.group_commit import write_now

    return write_now([AddOne(Fact("a", "p", "b", 1.0, None, Source.API))])[0]


def test_a_write_gives_up_waiting_for_a_lock(
    other: psycopg.Connection[tuple[int, ...]], change_settings: ChangeSettings
) -> None:
    other.execute("LOCK TABLE triples_triple IN EXCLUSIVE MODE")
    change_settings(pool_timeout=0.2)
    began = monotonic()
    with pytest.raises(OperationalError, match="lock timeout"):
        in_orm(add)
    assert monotonic() - began < 5
    other.rollback()
    assert isinstance(in_orm(add), Stored)


def test_a_transaction_in_which_a_statement_has_failed_is_not_taken_for_committed() -> None:
    from triples.store.backend import backend

    def fail() -> None:
        with backend().transaction():
            driver = connection.connection
            with pytest.raises(psycopg.errors.DivisionByZero):
                driver.execute("SELECT 1/0")

    with pytest.raises(InternalError, match="rolled back"):
        in_orm(fail)


def test_what_is_set_for_a_transaction_ends_with_it() -> None:
    from triples.store.backend import backend

    def limits() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
            return list(cursor.fetchone())

    def inside_and_after() -> tuple[list[str], list[str]]:
        with backend().transaction():
            inside = limits()
        return inside, limits()

    inside, after = in_orm(inside_and_after)
    assert (inside, after) == (["30s", "31s"], ["0", "0"])
