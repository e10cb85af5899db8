"""This host's turn to write to SQLite."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from django.conf import settings
from django.db import connection, transaction
from django.dispatch import Signal

# Keys were committed in a transaction of their own, which took so many `seconds` once it was its turn. In the thread
# that did it.
keys_committed = Signal()


@contextmanager
def write_turn() -> Iterator[None]:
    """A transaction that waits for its turn in the queue in which the graph's writers stand.

    They take the same file (`triples.store.turns.write_lock`). SQLite by itself makes a writer
    sleep and try again, so that under a steady load of facts a revocation could wait for many seconds.
    """
    if connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    if connection.vendor != "sqlite":
        with _transaction():
            yield
        return
    descriptor = os.open(settings.ENV.state_dir / "write.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with _transaction():
            yield
    finally:
        os.close(descriptor)


@contextmanager
def _transaction() -> Iterator[None]:
    began = perf_counter()
    with transaction.atomic():
        yield
    keys_committed.send_robust(None, seconds=perf_counter() - began)
