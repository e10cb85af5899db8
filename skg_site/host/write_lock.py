"""The write lock of the service's database, which writers of facts, rules, runs and keys take alike."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import cast

from django.db import connection, transaction
from django.dispatch import Signal

# Rules or keys were committed in a transaction of their own, which took `seconds` without the wait for the write lock.
# Sent in the thread that did it.
rows_committed = Signal()


def write_lock() -> AbstractContextManager[None]:
    """Wait for the lock and hold it, as the database's engine does it.

    SQLite has one for this host: see `triples.store.sqlite.engine`. PostgreSQL needs none, and an outer transaction has
    it already.
    """
    return cast("AbstractContextManager[None]", connection.write_lock())  # type: ignore[attr-defined]  # of our engines


@contextmanager
def locked_transaction() -> Iterator[None]:
    """A transaction under the write lock, or a part of the outer transaction."""
    is_outermost = not connection.in_atomic_block
    with write_lock():
        began = perf_counter()
        with transaction.atomic():
            yield
    if is_outermost:
        rows_committed.send_robust(None, seconds=perf_counter() - began)
