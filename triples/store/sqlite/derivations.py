"""SQLite: which inferred facts this database has led to, so that those of another one are never shown over it.

The inferred facts are a file of their own. When the database is exchanged for an older one by hand, the file is of
facts that the older one never had. So the database notes each generation before its file is written, in a commit that
comes after all that the generation was derived from: a database that has the note has those facts too.
"""

import sqlite3

from django.db import connection

from skg_site.host.write_lock import write_lock
from triples.store.inferred.layout import STATE

_TABLE = "triples_derivation"
_GENERATION = f"SELECT generation FROM {STATE}"
_NOTED = f"SELECT 1 FROM main.{_TABLE} WHERE generation = ?"
_NOTE = f"INSERT OR IGNORE INTO {_TABLE} (generation) VALUES (%s)"
_FORGET_OLDER = f"DELETE FROM {_TABLE} WHERE generation < %s"


def note(generation: int) -> None:
    """Before the inferred facts of this generation can be seen."""
    with write_lock(), connection.cursor() as cursor:
        cursor.execute(_NOTE, [generation])


def forget_older(generation: int) -> None:
    """Once this generation has taken the place of the others."""
    with write_lock(), connection.cursor() as cursor:
        cursor.execute(_FORGET_OLDER, [generation])


def is_noted(driver: sqlite3.Connection) -> bool:
    """Whether the inferred facts that are attached follow from this connection's database.

    The connection must be outside of a transaction: the database is looked at after the inferred facts, and again when
    a run has meanwhile made another generation of these.
    """
    seen: int | None = None
    while True:
        [(generation,)] = driver.execute(_GENERATION).fetchall()
        if generation == seen:
            return False
        if driver.execute(_NOTED, [generation]).fetchone() is not None:
            return True
        seen = generation
