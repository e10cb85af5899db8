"""Bulk loads on SQLite, where all other writers wait for the one that writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep

from django.db import connection

from triples.store.bulk_interface import InitialLoad
from triples.store.group_commit import open_session
from triples.store.sqlite import initial_load as first
from triples.store.sqlite.write_lock import others_wait

SLICE_SECONDS = 0.1
# If several slices change a page, it is written once.
SLICES = 10
# In this time, a writer that waits wakes up and takes the lock.
GIVING_WAY_SECONDS = 0.002

__all__ = ["SLICES", "SLICE_SECONDS", "give_way", "initial_load", "others_wait", "unchecked"]


@contextmanager
def unchecked() -> Iterator[None]:
    """As the writer of the service works: see `UNCHECKED` of `triples.store.sqlite.prepared_writer`."""
    with connection.constraint_checks_disabled():
        _check(tables=False)
        try:
            yield
        finally:
            _check(tables=True)


def _check(*, tables: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA ignore_check_constraints = {not tables}")


def give_way() -> None:
    sleep(GIVING_WAY_SECONDS)


def initial_load(facts: float) -> InitialLoad | None:
    if facts < first.FEWEST_FACTS or connection.in_atomic_block:
        return None
    with connection.wrap_database_errors:
        return first if first.is_empty(open_session(connection).driver) else None
