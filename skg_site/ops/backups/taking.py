"""Taking a backup: it is made, tried, put in its place, and the oldest backups are removed."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings
from filelock import FileLock, Timeout

from skg_site.cli.exit_codes import BUSY
from skg_site.cli.progress import Report
from skg_site.host.backup_record import BackupRecord, write_backup_record
from skg_site.ops.backups.checksums import checksum_line, sha256
from skg_site.ops.backups.names import CHECKSUM, UNFINISHED, BackupName, newest_first
from skg_site.ops.backups.storage import S3_SCHEME, FolderStorage, Storage
from triples.store.backend import backend
from triples.store.backups.contents import Contents
from triples.store.backups.databases import Database
from triples.store.backups.failures import BackupFailure, Damaged
from triples.store.copying.record import Stage


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that was restored on trial and found to hold what the database held."""

    file: str
    bytes: int
    sha256: str
    contents: Contents
    removed: list[str]
    # Backups of this database that are in the same place, and have names of later times.
    dated_later: list[str]
    # True if copy_to has moved the graph to another database, so that this one is not written any more.
    moved: bool
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
            "dated_later": self.dated_later,
            "moved": self.moved,
            "finished_at": self.finished_at.isoformat(),
            "seconds": round(self.seconds, 3),
        }

    @property
    def text(self) -> str:
        text = f"{self.file}: {self.contents} in {self.bytes:,} bytes, restored and counted ({self.seconds:,.1f} s)."
        if self.removed:
            text += f" Removed: {', '.join(self.removed)}."
        if self.dated_later:
            text += (
                f"\nWARNING: By their names, these are newer than this backup: {', '.join(self.dated_later)}. Set this "
                "host's clock if it is wrong. If it was wrong when they were made, remove or rename them."
            )
        if self.moved:
            text += (
                "\nWARNING: The graph has moved to another database since, and this backup is of what it was here. Set "
                "SKG_DATABASE_URL, or SKG_DB_PATH, to where it is now."
            )
        return text


def backup(to: str, keep: int | None, report: Report) -> Taken:
    """Take a backup. Raises BackupFailure; then there is no new backup, and none of the old ones was removed."""
    began = monotonic()
    with one_at_a_time():
        storage, database = open_storage(to or default_storage()), backend().backups()
        folder = storage.work_folder or state_folder()
        name = BackupName.new(database.name, database.form)
        _remove_unfinished(folder, name)
        file = folder / f"{UNFINISHED}{name}"
        try:
            # Nobody else should read it: it holds facts, users and the digests of keys.
            file.touch(mode=0o600)
            contents = database.save(file, report)
            _try(database, file, folder, contents, report)
            digest, size = sha256(file, report), file.stat().st_size
            _write_checksum(storage, folder, name, digest, report)
            storage.put(file, str(name), report)
        finally:
            _remove_unfinished(folder, name)
        ours = [other for other in newest_first(storage.names()) if other.database == name.database and other != name]
        removed = _remove_oldest(storage, ours, keep)
        later = [text for each in ours if each.moment > name.moment and (text := str(each)) not in removed]
        seconds = monotonic() - began
        place, now = storage.shown(str(name)), datetime.now(UTC)
        taken = Taken(place, size, digest, contents, removed, later, _has_moved(), now, seconds)
        _record(taken)
    return taken


def open_storage(text: str) -> Storage:
    """The storage that the operator named: a folder, or an s3:// URL of a bucket and a prefix."""
    if text.startswith(S3_SCHEME):
        from skg_site.ops.backups.s3 import S3Storage  # noqa: PLC0415  # needs boto3, which is not always installed

        return S3Storage(text)
    return FolderStorage(Path(text).absolute())


def default_storage() -> str:
    """That of SKG_BACKUP_DIR, which begins in the project's folder, as SKG_DB_PATH does."""
    found: str = settings.ENV.backup_dir
    if found.startswith(S3_SCHEME):
        return found
    return str(settings.BASE_DIR / found if found else state_folder())


def state_folder() -> Path:
    folder: Path = settings.ENV.state_dir / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the lock of backups and restores on this host. Raises BackupFailure if another one holds it."""
    settings.ENV.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        held = FileLock(settings.ENV.state_dir / "backup.lock", mode=0o600).acquire(blocking=False)
    except Timeout:
        raise BackupFailure("Another backup or restore is under way.", BUSY) from None
    with held:
        yield


def _try(database: Database, file: Path, folder: Path, contents: Contents, report: Report) -> None:
    with database.restored(file, folder, report) as scratch:
        if scratch.contents != contents:
            raise Damaged(f"The backup holds {scratch.contents}, where the database held {contents}.")


def _has_moved() -> bool:
    with closing(backend().own_side()) as side:
        record = side.record()
    return record is not None and record.stage is Stage.MOVED


def _write_checksum(storage: Storage, folder: Path, name: BackupName, digest: str, report: Report) -> None:
    """Put the checksum in its place before the backup, so that no backup is ever without one."""
    file = folder / f"{UNFINISHED}{name}{CHECKSUM}"
    file.write_text(checksum_line(digest, str(name)), encoding="ascii")
    storage.put(file, f"{name}{CHECKSUM}", report)


def _remove_oldest(storage: Storage, others: Sequence[BackupName], keep: int | None) -> list[str]:
    """Keep the backup that was made now, and the first of the `others`. Returns the names of those removed."""
    if keep is None:
        return []
    removed = [str(other) for other in others[keep - 1 :]]
    for other in removed:
        storage.remove(other)
        storage.remove(f"{other}{CHECKSUM}")
    return removed


def _remove_unfinished(folder: Path, name: BackupName) -> None:
    """Remove the unfinished files of this backup, and of earlier ones of this database that were killed."""
    for file in folder.glob(f"{UNFINISHED}{name.database}-*"):
        file.unlink(missing_ok=True)


def _record(taken: Taken) -> None:
    record = BackupRecord(finished_at=taken.finished_at, bytes=taken.bytes, file=taken.file, sha256=taken.sha256)
    write_backup_record(settings.ENV.state_dir, record)
