"""Writing the inferred facts on SQLite, into a file of their own."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa
from adbc_driver_sqlite import dbapi
from django.db import connection, transaction

from skg_site.host.files import sync
from skg_site.host.write_lock import write_lock
from triples.recursion.programs import Key, Proof
from triples.store.backend import Holder
from triples.store.inferred.arrow_batches import DERIVED, from_cursor
from triples.store.inferred.hiding import hide_anew
from triples.store.inferred.layout import (
    COLUMNS,
    FACTS,
    INDEXES,
    KEY,
    STATE,
    VERSION,
    Progress,
    Types,
    facts_columns,
    index_names,
    rows_of,
    state_columns,
)
from triples.store.inferred.state import State, write_state
from triples.store.sqlite.connections import connect_for_reading
from triples.store.sqlite.dependents import SQLiteDependents
from triples.store.sqlite.generation_record import forget_older, note
from triples.store.sqlite.inferred_files import (
    attach,
    current_file,
    new_file,
    open_current,
    put_in_place,
    remove_all,
    remove_others,
)

# No other process has the file yet, and an incomplete file is thrown away, so no rollback journal is needed.
_BUILDING = (
    "page_size = 8192",
    "journal_mode = OFF",
    "synchronous = OFF",
    "locking_mode = EXCLUSIVE",
    # An index is sorted in runs of this size. Runs that fit into the processor's cache take two thirds of the time, and
    # a second thread sorts one run while the next is gathered.
    "cache_size = -2000",
    "threads = 1",
)
_TYPES = Types("INTEGER", "INTEGER", "REAL", "TEXT")
_CREATE = f"CREATE TABLE {FACTS} ({facts_columns(_TYPES)}, PRIMARY KEY ({', '.join(KEY)})) WITHOUT ROWID"
_PUT = f"INSERT OR REPLACE INTO {FACTS} ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_REMOVE = f"DELETE FROM {FACTS} WHERE subject_id = ? AND predicate_id = ? AND object_id = ?"
# Arrow's driver goes by the names of columns.
_STORED = pa.schema([field.with_name(name) for field, name in zip(DERIVED, COLUMNS, strict=True)])
_ALL = f"SELECT {', '.join(COLUMNS)} FROM {FACTS} ORDER BY {', '.join(KEY)}"


def replace_all(rows: pa.RecordBatchReader, state: State, _holder: Holder, progress: Progress) -> None:
    """Write the sorted rows to a new file, which then replaces the old one."""
    file = new_file(state.generation)
    write_file(file, rows, state, progress)
    note(state.generation)
    with closing(sqlite3.connect(file, isolation_level=None)) as driver, _hiding(driver, state):
        put_in_place(file)
    remove_others(file)
    forget_older(state.generation)


def write_file(file: Path, rows: pa.RecordBatchReader, state: State, progress: Progress) -> None:
    """Write the sorted rows and the state to a new file. It is on disk at the return."""
    try:
        _fill(file, rows, index_names(state.program), progress)
    except BaseException:
        # It may be large, and the next run, which would remove it, may be far off.
        file.unlink(missing_ok=True)
        raise
    with closing(sqlite3.connect(file, isolation_level=None)) as driver:
        driver.execute("PRAGMA journal_mode = WAL")
        driver.execute("BEGIN")
        driver.execute(f"CREATE TABLE {STATE} ({state_columns(_TYPES)})")
        write_state(driver.execute, state, "?")
        driver.execute(f"PRAGMA user_version = {VERSION}")
        driver.execute("COMMIT")
    sync(file)


def apply(removed: Collection[Key], put: Mapping[Key, Proof], state: State, _holder: Holder) -> None:
    """Change the file in one transaction. It is on disk at the return, because the caller then prunes the journal."""
    note(state.generation)
    with closing(sqlite3.connect(_current(), isolation_level=None)) as driver:
        driver.execute("PRAGMA synchronous = FULL")
        driver.execute("BEGIN IMMEDIATE")
        driver.executemany(_REMOVE, sorted(removed))
        driver.executemany(_PUT, rows_of(put))
        write_state(driver.execute, state, "?")
        with _hiding(driver, state):
            driver.execute("COMMIT")
    forget_older(state.generation)


def hide(state: State, _holder: Holder) -> None:
    driver = open_current()
    if driver is not None:
        with closing(driver), _hiding(driver, state):
            pass


def contents() -> pa.Table:
    """All rows; none if there is no file."""
    with closing(connect_for_reading()) as driver:
        if attach(driver) is None:
            return DERIVED.empty_table()
        return pa.Table.from_batches(from_cursor(driver.execute(_ALL), DERIVED), DERIVED)


def discard() -> None:
    remove_all()


@contextmanager
def _hiding(driver: sqlite3.Connection, state: State) -> Iterator[None]:
    """Store what is hidden of new inferred facts, which `driver` sees already, while the block publishes them.

    No fact can be removed until both are done. If the process dies between the block and the commit, the stored hidden
    facts are those of the generation before, so all inferred facts are hidden as soon as a fact is gone.
    """
    with write_lock(), transaction.atomic():
        hide_anew(connection.connection.execute, SQLiteDependents(driver, state.program), state)
        yield


def _fill(file: Path, rows: pa.RecordBatchReader, indexes: Sequence[str], progress: Progress) -> None:
    """Fill the file through Arrow's driver, which takes columns as they are.

    The driver has an SQLite of its own. Two SQLites in one process know nothing of each other's locks, so this one must
    only open a new file, and must close it before any other connection opens it.
    """
    steps = 1 + len(indexes)
    progress(0, steps)
    with dbapi.connect(str(file), autocommit=True) as driver, driver.cursor() as cursor:
        for pragma in _BUILDING:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute("BEGIN")
        cursor.execute(_CREATE)
        batches = (pa.RecordBatch.from_arrays(batch.columns, schema=_STORED) for batch in rows)
        cursor.adbc_ingest(FACTS, pa.RecordBatchReader.from_batches(_STORED, batches), mode="append")
        for done, name in enumerate(indexes, 1):
            progress(done, steps)
            # SQLite itself appends the rest of the primary key to each index.
            cursor.execute(f"CREATE INDEX {name} ON {FACTS} ({', '.join(INDEXES[name])})")
        cursor.execute("COMMIT")
    progress(steps, steps)


def _current() -> Path:
    file = current_file()
    assert file is not None, "a difference is of facts that are there"
    return file
