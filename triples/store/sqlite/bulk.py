"""Bulk loads on SQLite, where all other writers wait for the one that writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep

from django.conf import settings
from django.db import connection

from triples.store.bulk_interface import InitialLoad
from triples.store.group_commit import open_session
from triples.store.sqlite import initial_load as first
from triples.store.sqlite.write_lock import others_wait

SLICE_SECONDS = 0.1
# If several slices change a page, it is written once. Facts come in any order, so in a large graph each changes pages
# of its own in most indexes, and only many facts together change fewer pages than there are facts.
FEWEST_SLICES, MOST_SLICES = 10, 100
# The share of an import's memory for pages that are changed. They stay in SQLite's cache until the commit; without room
# there they go to the log, many again and again.
_SHARE_FOR_PAGES = 8
# In this time, a writer that waits wakes up and takes the lock.
GIVING_WAY_SECONDS = 0.002

__all__ = [
    "FEWEST_SLICES",
    "MOST_SLICES",
    "SLICE_SECONDS",
    "give_way",
    "initial_load",
    "others_wait",
    "roomy",
    "unchecked",
]


@contextmanager
def roomy() -> Iterator[None]:
    before = _pragma("cache_size")
    # In KiB, of which more are a smaller number here; a positive one is pages.
    room = -(settings.ENV.import_memory << 10) // _SHARE_FOR_PAGES
    _pragma(f"cache_size = {min(room, before) if before < 0 else before}")
    try:
        yield
    finally:
        _pragma(f"cache_size = {before}")


@contextmanager
def unchecked() -> Iterator[None]:
    """Write without checks, as the writer of the service does: see `UNCHECKED` of `prepared_writer`."""
    with connection.constraint_checks_disabled():
        _pragma("ignore_check_constraints = True")
        try:
            yield
        finally:
            _pragma("ignore_check_constraints = False")


def _pragma(text: str) -> int:
    with connection.cursor() as cursor:
        found = cursor.execute(f"PRAGMA {text}").fetchone()
    return int(found[0]) if found else 0


def give_way() -> None:
    sleep(GIVING_WAY_SECONDS)


def initial_load(facts: float) -> InitialLoad | None:
    if facts < first.FEWEST_FACTS or connection.in_atomic_block:
        return None
    with connection.wrap_database_errors:
        return first if first.is_empty(open_session(connection).driver) else None
