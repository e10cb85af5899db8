"""PostgreSQL: the locks of runs and migrations, which the server releases when their connection ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from triples.store.backend import Lease
from triples.store.postgresql.connections import connect

# Numbers of advisory locks; nothing else in the database uses them.
_LEASE_KEY = 7_777_001
MIGRATION_KEY = 7_777_002


@contextmanager
def open_lease() -> Iterator[Lease]:
    with connect() as holder:

        def take() -> bool:
            return holder.execute("SELECT pg_try_advisory_lock(%s)", [_LEASE_KEY]).fetchone() == (True,)

        yield Lease(take, holder)


@contextmanager
def migration_lock(waiting: Callable[[], None]) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_KEY])
        if not cursor.fetchone()[0]:
            waiting()
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_KEY])
    try:
        yield
    finally:
        if not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_KEY])
