"""Taking a backup: made aside, tried, put in its place, and the oldest ones removed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
from django.conf import settings
from django.db import connection

from skg_site.cli.progress import Report
from skg_site.ops.backups.checksums import checksum_line, sha256
from skg_site.ops.backups.contents import Contents
from skg_site.ops.backups.databases import Database
from skg_site.ops.backups.destinations import open_place
from skg_site.ops.backups.failures import BUSY, BackupFailure, Damaged
from skg_site.ops.backups.names import CHECKSUM, UNFINISHED, BackupName, newest_first
from skg_site.ops.backups.places import Place
from skg_site.ops.backups.postgresql import PostgreSQLDatabase
from skg_site.ops.backups.sqlite import SQLiteDatabase


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that was made, restored in a scratch place and found to hold what the database held."""

    file: str
    bytes: int
    sha256: str
    contents: Contents
    removed: list[str]
    finished_at: datetime
    seconds: float

    @property
    def content(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "bytes": self.bytes,
            "sha256": self.sha256,
            **self.contents._asdict(),
            "removed": self.removed,
            "finished_at": self.finished_at.isoformat(),
            "seconds": round(self.seconds, 3),
        }

    @property
    def text(self) -> str:
        contents = self.contents
        text = (
            f"{self.file}: {contents.facts:,} facts, {contents.terms:,} terms, {contents.keys:,} keys and "
            f"{contents.rules:,} rules in {self.bytes:,} bytes, restored and counted ({self.seconds:,.1f} s)."
        )
        return f"{text} Removed: {', '.join(self.removed)}." if self.removed else text


def backup(to: str, keep: int | None, report: Report) -> Taken:
    """Raises BackupFailure; then there is no new backup, and none of the old ones was removed."""
    began = monotonic()
    with one_at_a_time():
        place, database = open_place(to or default_place()), this_database()
        folder = place.work_folder or state_folder()
        name = BackupName.new(database.name, database.form)
        _remove_unfinished(folder, name)
        file = folder / f"{UNFINISHED}{name}"
        try:
            # It holds what nobody else should read: facts, the digests of keys, users.
            file.touch(mode=0o600)
            contents = database.save(file, report)
            _try(database, file, folder, contents, report)
            digest, size = sha256(file, report), file.stat().st_size
            _write_checksum(place, folder, name, digest, report)
            place.put(file, str(name), report)
        finally:
            _remove_unfinished(folder, name)
        removed = _remove_oldest(place, name, keep)
        taken = Taken(place.shown(str(name)), size, digest, contents, removed, datetime.now(UTC), monotonic() - began)
        _note(taken)
    return taken


def this_database() -> Database:
    return PostgreSQLDatabase() if connection.vendor == "postgresql" else SQLiteDatabase()


def default_place() -> str:
    return settings.ENV.backup_dir or str(state_folder())


def state_folder() -> Path:
    folder: Path = settings.ENV.state_dir / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """A backup or a restore, the only one of this host."""
    settings.ENV.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(settings.ENV.state_dir / "backup.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BackupFailure("Another backup or restore is under way.", BUSY) from None
    finally:
        os.close(descriptor)


def _try(database: Database, file: Path, folder: Path, contents: Contents, report: Report) -> None:
    with database.restored(file, folder, report) as scratch:
        if scratch.contents != contents:
            raise Damaged(f"The backup holds {scratch.contents}, where the database held {contents}.")


def _write_checksum(place: Place, folder: Path, name: BackupName, digest: str, report: Report) -> None:
    """Before the backup itself, so that none is ever without it."""
    file = folder / f"{UNFINISHED}{name}{CHECKSUM}"
    file.write_text(checksum_line(digest, str(name)), encoding="ascii")
    place.put(file, f"{name}{CHECKSUM}", report)


def _remove_oldest(place: Place, name: BackupName, keep: int | None) -> list[str]:
    """Of this database's backups, all but the newest so many."""
    if keep is None:
        return []
    ours = [other for other in newest_first(place.names()) if other.database == name.database]
    removed = [str(other) for other in ours[keep:]]
    for other in removed:
        place.remove(other)
        place.remove(f"{other}{CHECKSUM}")
    return removed


def _remove_unfinished(folder: Path, name: BackupName) -> None:
    """What this database's backups left behind when they were killed, and this one leaves."""
    for file in folder.glob(f"{UNFINISHED}{name.database}-*"):
        file.unlink(missing_ok=True)


def _note(taken: Taken) -> None:
    """For the metrics."""
    file: Path = settings.ENV.state_dir / "backup.json"
    told = {"finished_at": taken.finished_at.isoformat(), "bytes": taken.bytes}
    new = file.with_suffix(".new")
    new.write_bytes(orjson.dumps(told | {"file": taken.file, "sha256": taken.sha256}))
    new.replace(file)
