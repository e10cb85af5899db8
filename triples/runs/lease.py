"""One run at a time for a database, by a lock that a dead process loses at once.

On SQLite the kernel holds it, on a file beside the database; on PostgreSQL the server holds it for a
connection, which also writes the outcome: a run that has lost the one cannot do the other.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from triples.store.postgresql.connections import connect

# Any number that nothing else in the database locks.
_ADVISORY_KEY = 7_777_001


class LeaseTaken(Exception):
    """Another run is active."""


@contextmanager
def lease(patience: float = 0.0) -> Iterator["psycopg.Connection[Any] | None"]:
    """Hold the lease, or raise LeaseTaken after `patience` seconds. On PostgreSQL, the connection that holds it.

    A little patience outlasts those who only look whether the lease is taken.
    """
    with _postgresql_lease(patience) if connection.vendor == "postgresql" else _sqlite_lease(patience) as holder:
        yield holder


def is_taken() -> bool:
    """Whether some run holds the lease now."""
    with suppress(LeaseTaken), lease():
        return False
    return True


@contextmanager
def _sqlite_lease(patience: float) -> Iterator[None]:
    descriptor = os.open(settings.ENV.state_dir / "recursion.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def locked() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    try:
        _acquire(locked, patience)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _postgresql_lease(patience: float) -> Iterator["psycopg.Connection[Any]"]:
    with connect() as holder:

        def locked() -> bool:
            return holder.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_KEY]).fetchone() == (True,)

        _acquire(locked, patience)
        yield holder


def _acquire(locked: Callable[[], bool], patience: float) -> None:
    deadline = monotonic() + patience
    while not locked():
        if monotonic() >= deadline:
            raise LeaseTaken
        sleep(0.05)
