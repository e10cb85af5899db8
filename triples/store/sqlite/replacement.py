"""SQLite: replacing the database file while no process has it open."""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from skg_site.cli.exit_codes import BUSY
from skg_site.host.files import sync
from triples.store.backups.failures import BackupFailure

# SQLite keeps such files next to a database in use. They remain if the last process that uses it is killed.
_COMPANIONS = ("-wal", "-shm", "-journal")


def require_closed(database: Path) -> None:
    """Raise BackupFailure while any process has the database open."""
    if holders := _holders(database):
        processes = ", ".join(f"{name} ({number})" for number, name in holders)
        raise _in_use(database, f"by {processes}")


def exchange(database: Path, new: Path, *, discard: bool) -> Path | None:
    """Replace the database by `new`, a file in the same folder. Returns the path of the old database, if it is kept.

    A process that opens the database meanwhile gets either the old one or the new one.
    """
    kept = database.with_name(f"{database.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    stood = database.exists()
    if stood:
        _fold(database)
        require_closed(database)
        # The new file has the permissions of the old one, except that others can never read it.
        new.chmod(database.stat().st_mode & 0o770)
        os.link(database, kept)
    # SQLite would take the log of the old database for that of the new one. A log can be there without its database.
    for suffix in _COMPANIONS:
        with suppress(FileNotFoundError):
            Path(f"{database}{suffix}").rename(f"{kept}{suffix}")
    sync(new)
    new.replace(database)
    sync(database.parent)
    if discard:
        for suffix in ("", *_COMPANIONS):
            Path(f"{kept}{suffix}").unlink(missing_ok=True)
    return kept if stood and not discard else None


def _fold(database: Path) -> None:
    """Copy the log into the database and remove it. SQLite does so only if no other process has the database open."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=0)) as driver:
        try:
            driver.execute("PRAGMA journal_mode = DELETE").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise _in_use(database, "by another process") from error
        except sqlite3.DatabaseError:
            # A damaged database is kept as it is, with its log.
            return


def _in_use(database: Path, who: str) -> BackupFailure:
    return BackupFailure(f"{database} is in use {who}. Stop the service, then try again.", BUSY)


def _holders(database: Path) -> list[tuple[int, str]]:
    """The other processes that have the database open, as far as this user can see them."""
    try:
        wanted = os.stat(database)  # noqa: PTH116  # compared with the os.stat of descriptors
    except FileNotFoundError:
        return []
    found: list[tuple[int, str]] = []
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        with suppress(OSError):
            if any(_is_same(descriptor, wanted) for descriptor in (process / "fd").iterdir()):
                found.append((int(process.name), (process / "comm").read_text().strip()))
    return sorted(found)


def _is_same(descriptor: Path, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(descriptor.stat(), wanted)
    except OSError:
        # The process has closed the file meanwhile.
        return False
