"""SQLite: replacing the database file while nobody has it open."""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from skg_site.cli.exit_codes import BUSY
from skg_site.host.files import sync
from triples.store.backups.failures import BackupFailure

# Files that SQLite keeps next to a database that is in use, or was when its last user was killed.
_COMPANIONS = ("-wal", "-shm", "-journal")


def require_closed(database: Path) -> None:
    """Raise BackupFailure while any process has the database open."""
    if holders := _holders(database):
        processes = ", ".join(f"{name} ({number})" for number, name in holders)
        raise _in_use(database, f"by {processes}")


def exchange(database: Path, new: Path, *, discard: bool) -> Path | None:
    """Put `new`, of the same folder, in the database's place. Returns the path of the old database, if there was one.

    The place is never empty: a process that opens the database meanwhile gets the old one or the new one.
    """
    kept = database.with_name(f"{database.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    stood = database.exists()
    if stood:
        _fold(database)
        require_closed(database)
        # The operator's group may read the new one as it may the old; others may read neither.
        new.chmod(database.stat().st_mode & 0o770)
        os.link(database, kept)
    # SQLite would take the log of the old database for the new one's. The log may outlive its database.
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
    """Carry the log over into the database and end it. SQLite does that only for a process that has it for itself."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=0)) as driver:
        try:
            driver.execute("PRAGMA journal_mode = DELETE").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise _in_use(database, "by another process") from error
        except sqlite3.DatabaseError:
            # It is damaged, and is kept with its log as it is.
            return


def _in_use(database: Path, who: str) -> BackupFailure:
    return BackupFailure(f"{database} is in use {who}. Stop the service, then try again.", BUSY)


def _holders(database: Path) -> list[tuple[int, str]]:
    """The other processes that have the database open, as far as this user may see them."""
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
        # It was closed meanwhile.
        return False
