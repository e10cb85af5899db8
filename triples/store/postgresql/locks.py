"""PostgreSQL: the locks of runs, copies and migrations, which the server releases when their connection ends."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import sleep

from triples.store.backend import Lease
from triples.store.postgresql.connections import connect
from triples.store.postgresql.poolers import require_session

# Numbers of advisory locks; nothing else in the database uses them.
_LEASE_KEY = 7_777_001
MIGRATION_KEY = 7_777_002
_COPY_KEY = 7_777_003
_PAUSE_SECONDS = 0.5


def open_lease() -> AbstractContextManager[Lease]:
    return _opened(_LEASE_KEY)


def open_copy_lease() -> AbstractContextManager[Lease]:
    return _opened(_COPY_KEY)


@contextmanager
def _opened(key: int) -> Iterator[Lease]:
    """A lock on a connection of its own, since those of Django may go through a pooler."""
    with connect() as holder:
        require_session(holder)

        def take() -> bool:
            return holder.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone() == (True,)

        yield Lease(take, holder)


@contextmanager
def migration_lock(waiting: Callable[[], None]) -> Iterator[None]:
    with _opened(MIGRATION_KEY) as lock:
        if not lock.take():
            waiting()
            # A statement that waits would keep its snapshot, and the migration that makes an index concurrently waits
            # until nobody has an older one: each would wait for the other.
            while not lock.take():
                sleep(_PAUSE_SECONDS)
        yield
