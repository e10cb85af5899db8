"""The database on PostgreSQL as a whole, for probes, metrics and operators."""

from django.db.backends.utils import CursorWrapper

from triples.store.sessions import Fetch

_SIZE = "SELECT pg_database_size(current_database())"


def description() -> str:
    return "PostgreSQL"


def takes_writes(cursor: CursorWrapper) -> bool:
    cursor.execute("SHOW transaction_read_only")
    return bool(cursor.fetchone()[0] == "off")


def size(fetch: Fetch) -> int:
    [(size,)] = fetch(_SIZE, [])
    return int(size)
