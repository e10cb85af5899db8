"""The old Flask service's database, as that service makes and writes it, and migrations of it."""

import hashlib
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
from django.core.management import CommandError, call_command

from tests.triples.commands.runs import Run

TABLE = (
    "CREATE TABLE IF NOT EXISTS triples(id TEXT PRIMARY KEY, subject TEXT, predicate TEXT, object TEXT, weight REAL,"
    " metadata TEXT, created_at TEXT, UNIQUE(subject, predicate, object))"
)
ADDED = "2024-01-15T10:30:00+00:00"


def add(path: Path, *rows: tuple[Any, ...]) -> None:
    """Rows of subject, predicate, object, weight and metadata."""
    with closing(sqlite3.connect(path)) as connection, connection:
        [count] = connection.execute("SELECT count(*) FROM triples").fetchone()
        connection.executemany(
            "INSERT INTO triples VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(f"id-{count + number}", *row, ADDED) for number, row in enumerate(rows)],
        )


def migrated(old: Path, *arguments: str) -> Run:
    """`migrate_from_flask` in this process; whoever expects no error looks at `Run.error`."""
    printed = io.StringIO()
    error: CommandError | None = None
    try:
        call_command("migrate_from_flask", str(old), "--json", *arguments, stdout=printed)
    except CommandError as raised:
        error = raised
    return Run(orjson.loads(printed.getvalue() or "{}"), error)


def files(folder: Path) -> dict[str, str]:
    """Every file of a folder by its content."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
