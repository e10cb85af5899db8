"""The SQLite file as a whole, for probes, metrics and operators."""

from pathlib import Path

from django.db import connection
from django.db.backends.utils import CursorWrapper

from triples.store.sessions import Fetch
from triples.store.sqlite.inferred_files import current_file


def description() -> str:
    return str(_file())


def takes_writes(cursor: CursorWrapper) -> bool:
    # SQLite begins a transaction even on a file that it cannot write; the first statement that writes raises.
    cursor.execute("PRAGMA user_version = 0")
    return True


def size(_fetch: Fetch) -> int:
    databases = [_file(), *filter(None, [current_file()])]
    files = [file for one in databases for file in (one, one.with_name(one.name + "-wal"))]
    return sum(file.stat().st_size for file in files if file.exists())


def _file() -> Path:
    return Path(connection.settings_dict["NAME"])
