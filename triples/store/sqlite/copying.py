"""SQLite as one side of a copy to another database.

The service's own database is opened where it is. A new one is made in a folder beside its place, with its state, and
gets its name at the end: a copy that is broken off is never taken for a database.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from django.conf import settings

from skg_site.host.files import sync
from skg_site.host.refused_writes import MARK
from triples.folding import indexed_form
from triples.store.copying.failures import CopyFailure
from triples.store.copying.record import TABLE as RECORD
from triples.store.copying.side import Key, Log, Row, Side
from triples.store.copying.tables import TERMS, Column, Kind, Table
from triples.store.copying.values import json_text, moment_text
from triples.store.inferred.state import State
from triples.store.sqlite import term_index
from triples.store.sqlite.file_guard import require_fit, require_in_place
from triples.store.sqlite.file_identity import find_files, log_of
from triples.store.sqlite.generation_record import TABLE as DERIVATIONS
from triples.store.sqlite.inferred_facts import write_file
from triples.store.sqlite.inferred_files import FOLDER, put_in_place
from triples.store.sqlite.write_lock import held_lock

_TRIGGER = "skg_refuse"
_TIMEOUT_SECONDS = 30
# The most pages of the log that are carried over while writers wait, and how long they wait for a reader meanwhile.
_MOST_FRAMES = 2_000
_PATIENCE_MS = 100
_KEPT_WITH_THE_STATE = ("prefixes.json", "secret_key")


def _moment(text: str) -> str:
    return moment_text(datetime.fromisoformat(text))


class SQLiteSide(Side):
    kind = "sqlite"
    placeholder = "?"
    id_is_one_of = "id IN (SELECT value FROM json_each(?))"
    decoders = {Kind.BOOLEAN: bool, Kind.MOMENT: _moment, Kind.JSON: json_text}
    # As Django writes a time: without the fraction of a second, if there is none.
    encoders = {Kind.MOMENT: lambda text: str(datetime.fromisoformat(text))}

    def __init__(self, file: Path, *, is_own: bool, place: Path | None = None) -> None:
        """`place` is where a new database, which is in `file` now, is going to be."""
        self.name = str(place or file)
        self._file = file
        self._is_own = is_own
        self._place = place
        if is_own:
            require_fit(str(file))
        self._driver = sqlite3.connect(
            f"{file.as_uri()}?mode=rw", uri=True, timeout=_TIMEOUT_SECONDS, isolation_level=None
        )
        if is_own:
            self._driver.executescript(settings.DATABASES["default"]["OPTIONS"]["init_command"])
        # The same value as the service's own connections have, so that no transaction waits for a change of it.
        self._driver.execute("PRAGMA foreign_keys = OFF")
        self._files = find_files(str(file))

    def close(self) -> None:
        self._driver.close()

    def fetch(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._driver.execute(statement, values).fetchall()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._driver.execute(statement, values)

    def id_list(self, ids: Sequence[int]) -> Any:
        return orjson.dumps(ids).decode()

    def selected(self, column: Column) -> str:
        return f'"{column.name}"'

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self._transaction("BEGIN"):
            # The first read determines the moment.
            self.fetch("SELECT 1 FROM sqlite_master LIMIT 1")
            yield

    def log(self) -> Log | None:
        with suppress(FileNotFoundError):
            return Log(Path(log_of(str(self._file))).stat().st_size, shutil.disk_usage(self._file.parent).free)
        return None

    def empty_log(self) -> None:
        # This does not hold writers up, however long the log is.
        [(_, frames, carried_over)] = self.fetch("PRAGMA wal_checkpoint(PASSIVE)")
        if frames - carried_over > _MOST_FRAMES:
            return
        # And this waits for readers, but not for long, with what little has come since.
        self.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
        try:
            self.fetch("PRAGMA wal_checkpoint(RESTART)")
        finally:
            self.execute(f"PRAGMA busy_timeout = {_TIMEOUT_SECONDS * 1_000}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        with held_lock() if self._is_own else nullcontext(), self._transaction("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def stopped(self) -> Iterator[None]:
        # All writers of the service wait for the first lock, and any other program for the second.
        with self.writing():
            yield
        if self._is_own:
            require_in_place(str(self._file), self._files)

    def delete(self, table: Table, keys: Sequence[Key]) -> None:
        if table.name == TERMS:
            self._forget_terms([key[0] for key in keys])
        condition = " AND ".join(f'"{name}" = ?' for name in table.key)
        self._driver.executemany(f"DELETE FROM {table.name} WHERE {condition}", keys)

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        rows = list(rows)
        names = ", ".join(f'"{name}"' for name in table.names)
        marks = ", ".join("?" * len(table.columns))
        self._driver.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", self._encoded(table, rows))
        if table.name == TERMS:
            self._index_terms(rows)

    def drop_indexes(self, tables: Sequence[str]) -> list[str]:
        found = self.fetch(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
            " AND tbl_name IN (SELECT value FROM json_each(?)) ORDER BY rowid",
            [orjson.dumps(tables).decode()],
        )
        for name, _ in found:
            self.execute(f'DROP INDEX "{name}"')
        return [statement for _, statement in found]

    def rebuild(self, statement: str) -> None:
        self.execute(statement)

    def analyze(self) -> None:
        self.execute("PRAGMA analysis_limit = 1000")
        self.execute("ANALYZE")

    def last_id(self, table: Table) -> int:
        rows = self.fetch("SELECT seq FROM sqlite_sequence WHERE name = ?", [table.name])
        return int(rows[0][0]) if rows else 0

    def set_last_id(self, table: Table, id_: int) -> None:
        self.execute("DELETE FROM sqlite_sequence WHERE name = ?", [table.name])
        self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table.name, id_])

    def table_names(self) -> set[str]:
        found = self.fetch(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite^_%' ESCAPE '^'"
        )
        return {name for (name,) in found}

    def derived_tables(self) -> set[str]:
        index = {name for name in self.table_names() if name.startswith(term_index.INDEX)}
        # Litestream keeps its own position in two tables.
        return {*index, DERIVATIONS, RECORD, "_litestream_seq", "_litestream_lock"}

    def require_sound(self) -> None:
        if found := self.fetch("PRAGMA foreign_key_check"):
            raise CopyFailure(f"{self.name}: {len(found):,} rows refer to rows that are not there.")

    def write_inferred(self, rows: pa.RecordBatchReader, state: State, progress: Callable[[int, int], None]) -> None:
        folder = self._file.with_suffix(".state") / FOLDER
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        file = folder / f"{state.generation}.db"
        write_file(file, rows, state, progress)
        put_in_place(file)
        with self.writing():
            self.execute(f"DELETE FROM {DERIVATIONS}")
            self.execute(f"INSERT INTO {DERIVATIONS} (generation) VALUES (?)", [state.generation])

    def inferred_generation(self) -> int | None:
        rows = self.fetch(f"SELECT max(generation) FROM {DERIVATIONS}")
        return None if rows[0][0] is None else int(rows[0][0])

    def refuse(self, sentence: str, copy: str) -> None:
        text = (MARK + sentence).replace("'", "''")
        for table in self.table_names() - self.derived_tables():
            for event in ("INSERT", "UPDATE", "DELETE"):
                self.execute(
                    f'CREATE TRIGGER IF NOT EXISTS "{_TRIGGER}_{event.lower()}_{table}" BEFORE {event} ON "{table}"'
                    f" BEGIN SELECT RAISE(ABORT, '{text}'); END"
                )

    def allow(self) -> None:
        found = self.fetch("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE ?", [f"{_TRIGGER}%"])
        for (name,) in found:
            self.execute(f'DROP TRIGGER "{name}"')

    def guard(self, sentence: str, copy: str) -> None:
        """Nothing to do: the database has not got its name yet."""

    def write_for(self, copy: str) -> None:
        """Nothing to do, for the same reason."""

    def erase(self, tables: Sequence[Table]) -> None:
        self.execute(f"INSERT INTO {term_index.INDEX} ({term_index.INDEX}) VALUES ('delete-all')")
        self.execute(f"UPDATE {term_index.STATE} SET up_to = 0")
        for table in (*(table.name for table in tables), DERIVATIONS):
            self.execute(f"DELETE FROM {table}")

    def publish(self) -> None:
        if self._place is None or not self._file.exists():
            return
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.fetch("PRAGMA journal_mode = DELETE")
        self._driver.close()
        sync(self._file)
        _publish_state(self._file.with_suffix(".state"), self._place.with_suffix(".state"))
        self._file.replace(self._place)
        sync(self._place.parent)
        shutil.rmtree(self._file.parent, ignore_errors=True)
        self._file, self._place = self._place, None
        self._driver = sqlite3.connect(self._file, timeout=30, isolation_level=None)

    def _index_terms(self, rows: Sequence[Row]) -> None:
        # On PostgreSQL, terms can be committed after others with greater ids, and so arrive here.
        [(up_to,)] = self.fetch(f"SELECT up_to FROM {term_index.STATE}")
        late = [(id_, indexed_form(text)) for id_, text in rows if id_ <= up_to]
        self._driver.executemany(f"INSERT INTO {term_index.INDEX} (rowid, folded) VALUES (?, ?)", late)
        term_index.index_tail(self._driver)

    def _forget_terms(self, ids: Sequence[int]) -> None:
        [(up_to,)] = self.fetch(f"SELECT up_to FROM {term_index.STATE}")
        indexed = [id_ for id_ in ids if id_ <= up_to]
        texts = self.fetch(f"SELECT id, text FROM {TERMS} WHERE {self.id_is_one_of}", [self.id_list(indexed)])
        self._driver.executemany(
            f"INSERT INTO {term_index.INDEX} ({term_index.INDEX}, rowid, folded) VALUES ('delete', ?, ?)",
            [(id_, indexed_form(text)) for id_, text in texts],
        )

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._driver.execute(begin)
        try:
            yield
            self._driver.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._driver.execute("ROLLBACK")
            raise


def _publish_state(made: Path, state: Path) -> None:
    """Move the inferred facts into the folder of the state, and copy what the graph needs besides the database."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.rmtree(state / FOLDER, ignore_errors=True)
    if (made / FOLDER).exists():
        os.replace(made / FOLDER, state / FOLDER)  # noqa: PTH105  # of a folder
    own: Path = settings.ENV.state_dir
    for name in _KEPT_WITH_THE_STATE:
        if (own / name).exists() and not (state / name).exists():
            shutil.copy2(own / name, state / name)
    sync(state)
