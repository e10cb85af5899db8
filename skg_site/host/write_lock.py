"""The write lock of the service's database, which writers of facts, rules, runs and keys take alike."""

from contextlib import AbstractContextManager
from typing import cast

from django.db import connection


def write_lock() -> AbstractContextManager[None]:
    """Wait for the lock and hold it, as the database's engine does it.

    SQLite has one for this host: see `triples.store.sqlite.engine`. PostgreSQL needs none, and an outer transaction has
    it already.
    """
    return cast("AbstractContextManager[None]", connection.write_lock())  # type: ignore[attr-defined]  # of our engines
