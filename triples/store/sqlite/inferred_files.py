"""SQLite: the file that holds the inferred facts, beside the database and never part of it.

A run writes them in one large transaction, which must not hold up the writes of the API, and no backup needs
them. A new file is built aside and takes the old one's place by one rename of a link; who has the old file open
keeps reading it.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from django.conf import settings

from skg_site.host.files import sync
from triples.store.inferred.layout import VERSION
from triples.store.sqlite.derivations import is_noted

# What the file is called in statements of a connection that has it attached; its tables need no such prefix.
SCHEMA = "inferred"
_FOLDER = "inferred"
_LINK = "current"


def current_file() -> Path | None:
    """The file that holds the inferred facts now; a cheap question."""
    try:
        return _folder() / (_folder() / _LINK).readlink()
    except FileNotFoundError:
        return None


def current_name() -> str | None:
    """The name of that file: what every read asks, with none of the objects that would take ten times as long."""
    try:
        return os.readlink(f"{settings.ENV.state_dir}/{_FOLDER}/{_LINK}")  # noqa: PTH115  # as above
    except FileNotFoundError:
        return None


def attach(driver: sqlite3.Connection) -> Path | None:
    """Attach the inferred facts to a connection; which file it is, or None (and nothing attached) without any.

    Those of another version of the code, or of another database than the connection's, count as none.
    The connection must be outside of a transaction. It goes on reading this file when another has taken its
    place: compare with `current_file`.
    """
    while (file := current_file()) is not None:
        try:
            driver.execute(f"ATTACH ? AS {SCHEMA}", (f"{file.as_uri()}?mode=ro",))
        except sqlite3.OperationalError:
            # It was replaced between the two statements; else the fault is a real one.
            if current_file() == file:
                raise
            continue
        [(version,)] = driver.execute(f"PRAGMA {SCHEMA}.user_version")
        # The first read opens the file's log. Both are of one moment only if the file has not been removed by then.
        if file.exists():
            if version == VERSION and is_noted(driver):
                return file
            detach(driver)
            return None
        detach(driver)
    return None


def detach(driver: sqlite3.Connection) -> None:
    """Let go of what `attach` attached; the connection must be outside of a transaction."""
    driver.execute(f"DETACH {SCHEMA}")


def open_current() -> sqlite3.Connection | None:
    """A connection that only reads the file that holds the inferred facts now; None without one that this code reads.

    The caller keeps runs from putting another file in its place.
    """
    file = current_file()
    if file is None:
        return None
    try:
        driver = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.OperationalError:
        # All inferred facts were discarded just now.
        return None
    with suppress(sqlite3.DatabaseError):
        if driver.execute("PRAGMA user_version").fetchone() == (VERSION,):
            return driver
    driver.close()
    return None


def new_file(generation: int) -> Path:
    """A path for a new file. It is never the path of an older one, whose readers would take its log for theirs."""
    _folder().mkdir(mode=0o700, exist_ok=True)
    return _folder() / f"{generation}-{token_hex(4)}.db"


def put_in_place(file: Path) -> None:
    """Make a new, closed file that is safe on disk the current one; so is that when this returns."""
    link = _folder() / f"{_LINK}.new"
    link.unlink(missing_ok=True)
    link.symlink_to(file.name)
    link.replace(_folder() / _LINK)
    sync(_folder())


def remove_all() -> None:
    """Remove all inferred facts."""
    with suppress(FileNotFoundError):
        (_folder() / _LINK).unlink()
        sync(_folder())
        remove_others(None)


def remove_others(kept: Path | None) -> None:
    """Remove all files but this one.

    Each goes before its log, so that who opened the log and still finds the file has both; see `attach`.
    """
    for file in sorted(_folder().glob("*.db*"), key=lambda file: len(file.suffix)):
        if kept is None or not file.name.startswith(kept.name):
            file.unlink(missing_ok=True)


def _folder() -> Path:
    folder: Path = settings.ENV.state_dir / _FOLDER
    return folder
