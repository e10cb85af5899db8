"""Backups of SQLite: a compressed copy of the database's pages.

SQLite's online backup makes the copy in steps, which report the progress, and all within one read transaction. So
writers, who append to the log, do not wait for the copy, and their commits do not make it begin again. VACUUM INTO
would write a smaller copy, but it reads every row and reports no progress. The inferred facts are not in the copy: they
are in a file of their own, and the next run derives them again.
"""

import glob
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.db import connection

from skg_site.cli.progress import Report
from triples.store.backups.contents import Contents, Fetch, count_contents, require_sound
from triples.store.backups.databases import Database, Form, Replaced, Scratch, words
from triples.store.backups.failures import BackupFailure, Damaged
from triples.store.sqlite.connections import MAPPED, connect_for_reading
from triples.store.sqlite.inferred_files import remove_all
from triples.store.sqlite.replacement import exchange, require_closed

_PAGES_AT_ONCE = 256
_BYTES_AT_ONCE = 1 << 20
_USERS = "SELECT count(*) FROM auth_user"


class SQLiteDatabase(Database):
    form = Form.SQLITE

    def __init__(self) -> None:
        self._file = Path(connection.settings_dict["NAME"])
        self.name = self._file.stem

    @property
    def scratch_folder(self) -> Path:
        return self._file.parent

    def save(self, file: Path, report: Report) -> Contents:
        copy = file.with_name(file.name + ".copy")
        try:
            copy.touch(mode=0o600)
            contents = self._copy(copy, report)
            _compress(copy, file, report)
        finally:
            copy.unlink(missing_ok=True)
        return contents

    @contextmanager
    def restored(self, file: Path, folder: Path, report: Report) -> Iterator[Scratch]:
        # SQLite's other files have names that begin with this one.
        # Beside the database it is named for that: then the next restore removes what a killed one has left.
        beside = folder.resolve() == self._file.parent
        unpacked = folder / f"{(self._file if beside else file).name}.unpacked"
        _remove(unpacked)
        try:
            _decompress(file, unpacked, report)
            yield _SQLiteScratch(self._file, unpacked, _examine(unpacked, report))
        finally:
            _remove(unpacked)

    def what_stands(self) -> str | None:
        if not self._file.exists() or not self._file.stat().st_size:
            return None
        try:
            with closing(sqlite3.connect(self._file, isolation_level=None)) as driver:
                fetch = _fetch_of(driver)
                if not fetch("SELECT 1 FROM sqlite_master LIMIT 1"):
                    return None
                return words(count_contents(fetch), fetch(_USERS)[0][0])
        except sqlite3.Error as error:
            # The damage may be the reason for the restore.
            return f"a database that cannot be read ({error})"

    def require_unused(self) -> None:
        connection.close()
        require_closed(self._file)

    def _copy(self, to: Path, report: Report) -> Contents:
        # This makes the log's files, without which a reader cannot open the database.
        connection.ensure_connection()
        with closing(connect_for_reading()) as source, closing(sqlite3.connect(to, isolation_level=None)) as target:
            source.execute("BEGIN")
            contents = count_contents(_fetch_of(source))
            [(pages,)] = source.execute("PRAGMA page_count").fetchall()
            [(page_size,)] = source.execute("PRAGMA page_size").fetchall()
            # The copy, its compressed form, and the copy again that is unpacked to be tried.
            _require_space(to.parent, 2 * pages * page_size)
            # An incomplete copy is thrown away, so it need not survive a crash.
            target.execute("PRAGMA synchronous = OFF")
            source.backup(
                target, pages=_PAGES_AT_ONCE, progress=lambda _, left, total: report("copying", total - left, total)
            )
            source.execute("COMMIT")
            # Without a log, the copy is one file.
            target.execute("PRAGMA journal_mode = DELETE")
        return contents


class _SQLiteScratch(Scratch):
    def __init__(self, database: Path, unpacked: Path, contents: Contents) -> None:
        self._database = database
        self._unpacked = unpacked
        self.contents = contents

    def update(self, statement: str, values: Sequence[object]) -> int:
        with closing(sqlite3.connect(self._unpacked, isolation_level=None)) as driver:
            return driver.execute(statement.replace("%s", "?"), values).rowcount

    def take_over(self, *, discard: bool) -> Replaced:
        connection.close()
        kept = exchange(self._database, self._unpacked, discard=discard)
        # The inferred facts may be of a newer database than this one.
        remove_all()
        return Replaced(None if kept is None else str(kept))


def _remove(unpacked: Path) -> None:
    """Remove an unpacked backup, and the files that SQLite makes beside it."""
    for left in unpacked.parent.glob(f"{glob.escape(unpacked.name)}*"):
        left.unlink()


def _examine(file: Path, report: Report) -> Contents:
    report("checking", 0, None)
    try:
        with closing(sqlite3.connect(file, isolation_level=None)) as driver:
            fetch = _fetch_of(driver)
            # Each row is looked up in each index: many pages, in no order.
            fetch(MAPPED)
            if (said := fetch("PRAGMA integrity_check(1)")) != [("ok",)]:
                raise Damaged(f"The backup is damaged: {said[0][0]}.")
            if said := fetch("PRAGMA foreign_key_check"):
                raise Damaged(f"The backup is damaged: {len(said):,} rows refer to rows that are not there.")
            return require_sound(fetch)
    except sqlite3.Error as error:
        raise Damaged(f"The backup cannot be read: {error}.") from error


def _fetch_of(driver: sqlite3.Connection) -> Fetch:
    def fetch(statement: str) -> list[tuple[Any, ...]]:
        return driver.execute(statement).fetchall()

    return fetch


def _compress(file: Path, to: Path, report: Report) -> None:
    total, done = file.stat().st_size, 0
    with file.open("rb") as source, pa.output_stream(str(to), compression="zstd") as target:
        while part := source.read(_BYTES_AT_ONCE):
            target.write(part)
            done += len(part)
            report("compressing", done, total)


def _decompress(file: Path, to: Path, report: Report) -> None:
    done = 0
    try:
        to.touch(mode=0o600)
        with pa.input_stream(str(file), compression="zstd") as source, to.open("wb") as target:
            while part := source.read(_BYTES_AT_ONCE):
                target.write(part)
                done += len(part)
                report("unpacking", done, None)
    except OSError as error:
        # Errors of the file system have a number, those of the compression have none.
        if error.errno is not None:
            raise
        raise Damaged(f"The backup cannot be unpacked: {error}.") from error


def _require_space(folder: Path, needed: int) -> None:
    with suppress(FileNotFoundError):
        if (free := shutil.disk_usage(folder).free) < needed:
            raise BackupFailure(
                f"There are {free >> 20:,} MiB free in {folder}; while the backup is made and tried it takes up to "
                f"{needed >> 20:,} MiB."
            )
