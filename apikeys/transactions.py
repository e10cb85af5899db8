"""Transactions that write keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from django.db import connection, transaction
from django.dispatch import Signal

from skg_site.host.write_lock import write_lock

# Keys were committed in a transaction of their own, which took `seconds` without the wait for the write lock. Sent in
# the thread that did it.
keys_committed = Signal()


@contextmanager
def key_transaction() -> Iterator[None]:
    """A transaction under the write lock, or a part of the outer transaction."""
    is_outermost = not connection.in_atomic_block
    with write_lock():
        began = perf_counter()
        with transaction.atomic():
            yield
        if is_outermost:
            keys_committed.send_robust(None, seconds=perf_counter() - began)
