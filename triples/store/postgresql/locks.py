"""PostgreSQL: the locks of runs, copies and migrations, which the server releases when their connection ends."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import sleep

from django.db import connection

from triples.store.backend import Lease
from triples.store.postgresql.connections import connect
from triples.store.postgresql.poolers import has_session, require_session

# Numbers of advisory locks; nothing else in the database uses them.
_LEASE_KEY = 7_777_001
MIGRATION_KEY = 7_777_002
_COPY_KEY = 7_777_003
# Advisory locks with two numbers, of which the second is that of the import.
_IMPORTS = 7_777_004
# The same of a scratch database, held as long as it is used; the second number is of its name.
SCRATCH_KEY = 7_777_005
_PAUSE_SECONDS = 0.5


def open_lease() -> AbstractContextManager[Lease]:
    return _opened(_LEASE_KEY)


def open_copy_lease() -> AbstractContextManager[Lease]:
    return _opened(_COPY_KEY)


@contextmanager
def import_lock(run_id: int) -> Iterator[None]:
    with connect() as holder:
        if has_session(holder):
            holder.execute("SELECT pg_advisory_lock_shared(%s, %s)", [_IMPORTS, in_four_bytes(run_id)])
        yield


def is_import_locked(run_id: int) -> bool:
    with connection.cursor() as cursor:
        if not has_session(connection.connection):
            # Nobody can hold one, so nothing can be told from that.
            return True
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid::bigint = %s "
            "AND objid::bigint = %s AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [_IMPORTS, in_four_bytes(run_id)],
        )
        [found] = cursor.fetchone()
    return bool(found)


def in_four_bytes(number: int) -> int:
    """A number for the second of a lock, of which PostgreSQL's integers hold no more."""
    return number & 0x7FFF_FFFF


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
