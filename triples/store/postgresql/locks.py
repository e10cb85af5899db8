"""PostgreSQL: the locks of runs and migrations, which the server releases when their connection ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from triples.store.backend import Lease
from triples.store.postgresql.connections import connect
from triples.store.postgresql.poolers import require_session

# Numbers of advisory locks; nothing else in the database uses them.
_LEASE_KEY = 7_777_001
MIGRATION_KEY = 7_777_002


@contextmanager
def open_lease() -> Iterator[Lease]:
    with connect() as holder:
        require_session(holder)

        def take() -> bool:
            return holder.execute("SELECT pg_try_advisory_lock(%s)", [_LEASE_KEY]).fetchone() == (True,)

        yield Lease(take, holder)


@contextmanager
def migration_lock(waiting: Callable[[], None]) -> Iterator[None]:
    # On a connection of its own, since those of Django may go through a pooler.
    with connect() as holder:
        require_session(holder)
        if holder.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_KEY]).fetchone() != (True,):
            waiting()
            holder.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_KEY])
        yield
