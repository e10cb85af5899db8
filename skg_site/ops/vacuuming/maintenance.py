"""Maintenance of the database: statistics for its query planner, and returning free space to the disk."""

from pathlib import Path

from django.apps import apps
from django.db import connection

from skg_site.cli.progress import Report
from skg_site.host.write_lock import write_lock
from triples.store.postgresql.connections import connect

# About 4 MiB, which are moved within a tenth of a second.
_PAGES_AT_ONCE = 1_000
# The rows of each index that are read: reading all of them would keep writers waiting.
_ANALYSIS_LIMIT = 1_000


def tidy(report: Report) -> None:
    """Update the statistics and return free space, in steps that let others write in between."""
    if connection.vendor == "postgresql":
        _tidy_postgresql(report)
    else:
        _tidy_sqlite(report)


def database_bytes() -> int:
    """The size of the database on disk, without the log."""
    if connection.vendor == "postgresql":
        return _number("SELECT pg_database_size(current_database())")
    return Path(connection.settings_dict["NAME"]).stat().st_size


def _tidy_postgresql(report: Report) -> None:
    tables = _tables()
    # Its own connection, since a vacuum cannot be part of a transaction and may take longer than a request.
    with connect() as driver:
        for done, table in enumerate(tables):
            report("vacuum and statistics", done, len(tables))
            driver.execute(f'VACUUM (ANALYZE) "{table}"'.encode())


def _tidy_sqlite(report: Report) -> None:
    tables = _tables()
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit = {_ANALYSIS_LIMIT}")
        for done, table in enumerate(tables):
            report("statistics", done, len(tables))
            with write_lock():
                cursor.execute(f'ANALYZE "{table}"')
        free = _number("PRAGMA freelist_count")
        while left := _number("PRAGMA freelist_count"):
            report("free pages", max(free - left, 0), free)
            with write_lock():
                # SQLite moves one page for each row that is fetched.
                cursor.execute(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})").fetchall()
            if _number("PRAGMA freelist_count") >= left:
                # Others write more than is returned, or the database was created without auto_vacuum.
                break
        # The file itself shrinks when the log is carried over: a little later, if readers are in the way.
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _tables() -> list[str]:
    return sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed})


def _number(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])
