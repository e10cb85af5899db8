"""SQLite: the database's record of the generations of inferred facts that were derived from it.

The inferred facts are in a file of their own. If somebody replaces the database by an older copy, the file belongs to
facts that the copy never had, and must not be shown. So the database records each generation before readers can see it,
in a commit after all facts from which it was derived: a database with the record has those facts, too.
"""

import sqlite3

from django.db import connection

from skg_site.host.write_lock import write_lock
from triples.store.inferred.layout import STATE

TABLE = "triples_derivation"
_GENERATION = f"SELECT generation FROM {STATE}"
_NOTED = f"SELECT 1 FROM main.{TABLE} WHERE generation = ?"
_NOTE = f"INSERT OR IGNORE INTO {TABLE} (generation) VALUES (%s)"
_FORGET_OLDER = f"DELETE FROM {TABLE} WHERE generation < %s"


def note(generation: int) -> None:
    """Record a generation, before readers can see its facts."""
    with write_lock(), connection.cursor() as cursor:
        cursor.execute(_NOTE, [generation])


def forget_older(generation: int) -> None:
    """Delete the records of older generations, after this one has replaced them."""
    with write_lock(), connection.cursor() as cursor:
        cursor.execute(_FORGET_OLDER, [generation])


def is_noted(driver: sqlite3.Connection) -> bool:
    """True if the attached inferred facts were derived from this connection's database.

    The connection must be outside of a transaction: the database is read after the inferred facts, and both again if a
    run has published another generation meanwhile.
    """
    seen: int | None = None
    while True:
        [(generation,)] = driver.execute(_GENERATION).fetchall()
        if generation == seen:
            return False
        if driver.execute(_NOTED, [generation]).fetchone() is not None:
            return True
        seen = generation
