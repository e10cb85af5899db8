"""Restoring a backup: it is found, checked, restored on trial, and only then takes the place of the database."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management import call_command

from skg_site.cli.exit_codes import MISSING
from skg_site.cli.progress import Report
from skg_site.ops.backups.checksums import require_checksum
from skg_site.ops.backups.names import CHECKSUM, BackupName, newest_first
from skg_site.ops.backups.revocations import keep_ends, present_ends, record_kept, revived
from skg_site.ops.backups.storage import S3_SCHEME, FolderStorage, Storage
from skg_site.ops.backups.taking import default_storage, one_at_a_time, open_storage, state_folder
from triples.store.backend import backend
from triples.store.backups.contents import Contents
from triples.store.backups.databases import Database, Form
from triples.store.backups.failures import BackupFailure

# What is fetched and unpacked is in a folder of this name in the state, which is removed by the next restore if one is
# killed.
_FOLDER = "restore-"

# Called with a description of what would be overwritten. Raises CommandError if the operator does not want that.
Consent = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Restored:
    file: str
    contents: Contents
    kept_as: str | None
    # Keys that were ended after the backup was made: those that work again, and those that stay ended.
    revived: list[str]
    kept_ended: list[str]
    seconds: float

    @property
    def content(self) -> dict[str, Any]:
        return {
            "file": self.file,
            **self.contents._asdict(),
            "kept_as": self.kept_as,
            "revived_keys": self.revived,
            "kept_ended_keys": self.kept_ended,
            "seconds": round(self.seconds, 3),
        }

    @property
    def text(self) -> str:
        text = f"{self.file} restored: {self.contents} ({self.seconds:,.1f} s)."
        if self.kept_as is not None:
            text += f" The former database is kept as {self.kept_as}."
        text += " The inferred facts are gone; manage.py recurse derives them again."
        if self.kept_ended:
            text += f"\nStill ended, as they have been since the backup: {', '.join(self.kept_ended)}."
        if self.revived:
            text += (
                "\nWARNING: These keys were revoked, or replaced, after the backup was made, and work again: "
                f"{', '.join(self.revived)}. End those that must not: manage.py apikey revoke ID. "
                "(--keep-revocations would have kept them ended.)"
            )
        return text


def restore(
    wanted: str, consent: Consent, report: Report, *, discard: bool, keep_revocations: bool = False
) -> Restored:
    """Restore a backup, or the newest one of a storage. Raises BackupFailure; then the database is as it was.

    With `keep_revocations`, keys that were ended in the present database are ended in the restored one too.
    """
    began = monotonic()
    with one_at_a_time():
        database = backend().backups()
        storage, name = _find(wanted or default_storage(), database)
        database.require_unused()
        content = database.what_stands()
        if content is not None:
            consent(content)
        ends = [] if content is None else present_ends(required=keep_revocations)
        kept_ids: list[str] = []
        for killed in state_folder().glob(f"{_FOLDER}*"):
            shutil.rmtree(killed)
        with tempfile.TemporaryDirectory(prefix=_FOLDER, dir=state_folder()) as folder:
            file = _fetch_whole(storage, name, Path(folder), report)
            with database.restored(file, database.scratch_folder or Path(folder), report) as scratch:
                if keep_revocations:
                    kept_ids = keep_ends(scratch, ends)
                replaced, contents = scratch.take_over(discard=discard), scratch.contents
        # The backup may be of an older version.
        call_command("migrate", interactive=False, verbosity=0)
        backend().inferred.discard()
        kept_ended = record_kept(kept_ids)
    return Restored(storage.shown(name), contents, replaced.kept_as, revived(ends), kept_ended, monotonic() - began)


def _find(wanted: str, database: Database) -> tuple[Storage, str]:
    """The storage and the name of the wanted backup, or of the newest one if only a storage was named."""
    folder, _, last = wanted.rpartition("/")
    in_bucket = wanted.startswith(S3_SCHEME)
    if (in_bucket and last.endswith(tuple(Form))) or (not in_bucket and Path(wanted).is_file()):
        storage: Storage = open_storage(folder) if in_bucket else FolderStorage(Path(wanted).absolute().parent)
        if not last.endswith(database.form):
            raise BackupFailure(f"{wanted} is no backup of this kind of database: those end in {database.form}.")
        return storage, last
    storage = open_storage(wanted)
    found = newest_first(storage.names())
    fitting = [name for name in found if name.form == database.form]
    if not fitting:
        raise BackupFailure(_none_fits(storage, database, found), MISSING)
    if len(databases := sorted({name.database for name in fitting})) > 1:
        raise BackupFailure(
            f"{storage.shown('')} has backups of several databases ({', '.join(databases)}): name the file."
        )
    if fitting[0].is_of_the_future:
        raise BackupFailure(
            f"{storage.shown(str(fitting[0]))} has a name of the future, so nobody can tell which one is the newest: "
            "set the clock if it is wrong, or name the file."
        )
    return storage, str(fitting[0])


def _none_fits(storage: Storage, database: Database, found: Sequence[BackupName]) -> str:
    place = storage.shown("")
    if not found:
        return f"There is no backup in {place}."
    return (
        f"There is no backup of this kind of database in {place}: those end in {database.form}. It has {found[0]}. "
        "Restore that into a database of its own kind; manage.py copy_to moves the graph from there."
    )


def _fetch_whole(storage: Storage, name: str, folder: Path, report: Report) -> Path:
    try:
        line = storage.fetch(f"{name}{CHECKSUM}", folder, report).read_text(encoding="ascii")
    except BackupFailure as error:
        if error.exit_code != MISSING or name not in storage.names():
            raise
        raise BackupFailure(
            f"{storage.shown(name)} has no checksum next to it, so nobody can tell whether it is complete. If you are "
            f"sure that it is, make one: sha256sum {name} > {name}{CHECKSUM}",
            MISSING,
        ) from error
    file = storage.fetch(name, folder, report)
    require_checksum(file, storage.shown(name), line, report)
    return file
