"""One run at a time for a database, by a lock that a dead process loses at once.

On SQLite it is a kernel lock on a file in the state folder. On PostgreSQL the server holds it for the connection that
also writes the outcome, so a run that has lost its lease cannot write.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep

from triples.store.backend import Holder, backend


class LeaseTaken(Exception):
    """Another run is active."""


@contextmanager
def lease(patience: float = 0.0) -> Iterator[Holder]:
    """Hold the lease, or raise LeaseTaken after `patience` seconds. On PostgreSQL, the connection that holds it.

    A little patience outlasts those who only look whether the lease is taken.
    """
    deadline = monotonic() + patience
    with backend().locks.open_lease() as (take, holder):
        while not take():
            if monotonic() >= deadline:
                raise LeaseTaken
            sleep(0.05)
        yield holder


def is_taken() -> bool:
    """True if some run holds the lease now."""
    with suppress(LeaseTaken), lease():
        return False
    return True
