"""Upkeep of the SQLite file: its size, whether it takes writes, its vacuum, its log."""

from collections.abc import Sequence
from pathlib import Path

from django.db import connection
from django.db.backends.utils import CursorWrapper

from skg_site.cli.progress import Report
from skg_site.host.write_lock import write_lock
from triples.store.sessions import Fetch
from triples.store.sqlite.inferred_files import current_file
from triples.store.sqlite.wal_removal import set_log_aside

# About 4 MiB, which take less than a tenth of a second to move.
_PAGES_AT_ONCE = 1_000
# ANALYZE reads this many rows of each index: reading all would keep writers waiting.
_ANALYSIS_LIMIT = 1_000


def description() -> str:
    return str(_file())


def takes_writes(cursor: CursorWrapper) -> bool:
    # SQLite begins a transaction even on a file that it cannot write. The first write raises the error.
    cursor.execute("PRAGMA user_version = 0")
    return True


def size(_fetch: Fetch) -> int:
    databases = [_file(), *filter(None, [current_file()])]
    files = [file for one in databases for file in (one, one.with_name(one.name + "-wal"))]
    return sum(file.stat().st_size for file in files if file.exists())


def bytes_of_tables() -> int:
    return _file().stat().st_size


def delete_terms(cursor: CursorWrapper, unused: str, span: Sequence[int]) -> list[tuple[int, str]]:
    cursor.execute(f"DELETE{unused} RETURNING id, text", span)
    return list(cursor.fetchall())


def tidy(tables: Sequence[str], report: Report) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit = {_ANALYSIS_LIMIT}")
        for done, table in enumerate(tables):
            report("statistics", done, len(tables))
            with write_lock():
                cursor.execute(f'ANALYZE "{table}"')
        free = _free_pages(cursor)
        while left := _free_pages(cursor):
            report("free pages", max(free - left, 0), free)
            with write_lock():
                # SQLite frees one page for each row that is fetched.
                cursor.execute(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})").fetchall()
            if _free_pages(cursor) >= left:
                # Other writers use more pages than are freed, or the database was created without auto_vacuum.
                break
        # The file shrinks when the log is copied into it, which readers can delay.
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def mend_log() -> str:
    kept = set_log_aside(_file())
    if kept is None:
        return "The log and the database belong together; nothing was moved."
    return f"The log was moved aside, to {kept}."


def _file() -> Path:
    return Path(connection.settings_dict["NAME"])


def _free_pages(cursor: CursorWrapper) -> int:
    cursor.execute("PRAGMA freelist_count")
    return int(cursor.fetchone()[0])
