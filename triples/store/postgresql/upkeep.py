"""Upkeep of the PostgreSQL database: its size, whether it takes writes, its vacuum."""

from collections.abc import Sequence

from django.db import connection
from django.db.backends.utils import CursorWrapper

from skg_site.cli.progress import Report
from triples.store.postgresql.connections import connect
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


def bytes_of_tables() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_SIZE)
        return int(cursor.fetchone()[0])


def delete_terms(cursor: CursorWrapper, unused: str, span: Sequence[int]) -> list[tuple[int, str]]:
    # The terms of facts that a writer has not committed yet are locked, so these are skipped. A writer that wants one
    # of the others waits, and then finds it gone. The deletion sees what was committed before it.
    cursor.execute(f"SELECT id{unused} ORDER BY id FOR UPDATE SKIP LOCKED", span)
    free = [id_ for (id_,) in cursor.fetchall()]
    cursor.execute(f"DELETE{unused} AND id = ANY(%s) RETURNING id, text", [*span, free])
    return list(cursor.fetchall())


def tidy(tables: Sequence[str], report: Report) -> None:
    # On a connection of its own: a vacuum cannot be in a transaction, and may take longer than a request.
    with connect() as driver:
        for done, table in enumerate(tables):
            report("vacuum and statistics", done, len(tables))
            driver.execute(f'VACUUM (ANALYZE) "{table}"'.encode())


def mend_log() -> str | None:
    """None: the server looks after its own log."""
    return None
