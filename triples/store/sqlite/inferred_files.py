"""SQLite: the file of the inferred facts, which is apart from the database.

A run writes them in one large transaction, which must not delay the writes of the API, and no backup needs them. A new
file replaces the old one by one rename of a link. A reader that has the old file open goes on reading it.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from django.conf import settings

from skg_site.host.files import sync
from triples.store.inferred.layout import VERSION
from triples.store.sqlite.generation_record import is_noted

# The schema name of the attached file. Its tables can be named without this prefix.
SCHEMA = "inferred"
FOLDER = "inferred"
_LINK = "current"


def current_file() -> Path | None:
    """The file that holds the inferred facts now, or None. It is cheap to ask."""
    try:
        return _folder() / (_folder() / _LINK).readlink()
    except FileNotFoundError:
        return None


def current_name() -> str | None:
    """The name of that file. Every read asks for it; to make a path would take ten times as long."""
    try:
        return os.readlink(f"{settings.ENV.state_dir}/{FOLDER}/{_LINK}")  # noqa: PTH115  # as above
    except FileNotFoundError:
        return None


def attach(driver: sqlite3.Connection) -> Path | None:
    """Attach the inferred facts to a connection. Returns their file, or None if there are none.

    A file of another version of the code, or of another database, is not attached. The connection must be outside of a
    transaction. It goes on reading this file after another has replaced it: compare with `current_file`.
    """
    while (file := current_file()) is not None:
        try:
            driver.execute(f"ATTACH ? AS {SCHEMA}", (f"{file.as_uri()}?mode=ro",))
        except sqlite3.OperationalError:
            # The file may have been replaced just now; otherwise this is a real error.
            if current_file() == file:
                raise
            continue
        [(version,)] = driver.execute(f"PRAGMA {SCHEMA}.user_version")
        # The first read opens the file's log. The log belongs to the file only if the file was not removed before.
        if file.exists():
            if version == VERSION and is_noted(driver):
                return file
            detach(driver)
            return None
        detach(driver)
    return None


def detach(driver: sqlite3.Connection) -> None:
    """Detach the inferred facts. The connection must be outside of a transaction."""
    driver.execute(f"DETACH {SCHEMA}")


def open_current() -> sqlite3.Connection | None:
    """Open a read-only connection to the current file. None if there is none that this version of the code can read.

    The caller keeps runs from replacing the file.
    """
    file = current_file()
    if file is None:
        return None
    try:
        driver = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.OperationalError:
        # The inferred facts were discarded just now.
        return None
    with suppress(sqlite3.DatabaseError):
        if driver.execute("PRAGMA user_version").fetchone() == (VERSION,):
            return driver
    driver.close()
    return None


def new_file(generation: int) -> Path:
    """A path for a new file. It differs from all older ones, whose readers would otherwise take its log for theirs."""
    _folder().mkdir(mode=0o700, exist_ok=True)
    return _folder() / f"{generation}-{token_hex(4)}.db"


def put_in_place(file: Path) -> None:
    """Make a new file the current one of its folder; it must be closed and safe on disk.

    The change is on disk at the return.
    """
    link = file.with_name(f"{_LINK}.new")
    link.unlink(missing_ok=True)
    link.symlink_to(file.name)
    link.replace(file.with_name(_LINK))
    sync(file.parent)


def remove_all() -> None:
    """Remove all inferred facts."""
    with suppress(FileNotFoundError):
        (_folder() / _LINK).unlink()
        sync(_folder())
        remove_others(None)


def remove_others(kept: Path | None) -> None:
    """Remove all files except this one.

    Each file is removed before its log: a reader that has opened the log, and then still finds the file, has both. See
    `attach`.
    """
    for file in sorted(_folder().glob("*.db*"), key=lambda file: len(file.suffix)):
        if kept is None or not file.name.startswith(kept.name):
            file.unlink(missing_ok=True)


def _folder() -> Path:
    folder: Path = settings.ENV.state_dir / FOLDER
    return folder
