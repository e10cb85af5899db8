"""The old Flask service's database. It is only read, and the old service may be running meanwhile."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from triples.exchange.lines import InputError
from triples.visible import visible

# Small enough to be read in a moment: without a write-ahead log, the old service's writes wait for a reader.
PAGE_ROWS = 2_000
# The longest wait for a write of the old service.
PATIENCE_SECONDS = 30

REQUIRED = ("subject", "predicate", "object")
OPTIONAL = ("weight", "metadata", "created_at")

# SQLite's names for the number of a row. A column of one of these names is taken for what it says.
ROW_NUMBERS = ("rowid", "_rowid_", "oid")
_LEAST_ROW_NUMBER = -(1 << 63)

_COPYING = (
    "Copy them into another database first: ATTACH 'new.db' AS new; CREATE TABLE new.triples AS SELECT * FROM triples"
)
_WITHOUT_NUMBERS = re.compile(rb"\)[^)]*\bWITHOUT\s+ROWID\b[^)]*$", re.IGNORECASE)

_READ_VERSION = 19
_WAL = 2

Value = bytes | int | float | None


class Row(NamedTuple):
    """A stored row, with text as bytes. A column that the table does not have is None."""

    rowid: int
    subject: Value
    predicate: Value
    object: Value
    weight: Value
    metadata: Value
    created_at: Value


class Place(NamedTuple):
    """The place after a row, by its number. Rows can be renumbered; `mark` tells whether this is still the same row."""

    rowid: int = _LEAST_ROW_NUMBER
    mark: str = ""

    @classmethod
    def after(cls, row: Row) -> "Place":
        return cls(row.rowid, blake2b(repr(row[1:4]).encode(), digest_size=12).hexdigest())


class FlaskDatabase:
    def __init__(self, path: Path, connection: sqlite3.Connection, *, idle: bool) -> None:
        self._path = path
        self._connection = connection
        self._idle_since = _state(path) if idle else None
        self._columns, self._row_number = self._find_columns()

    def count(self, start: Place) -> int:
        [(count,)] = self._read(f"SELECT count(*) FROM triples WHERE {self._row_number} > ?", start.rowid)  # noqa: S608  # of ROW_NUMBERS
        return int(count)

    def has(self, place: Place) -> bool:
        """True if the row before the place still has its number."""
        rows = self._rows(place.rowid, 1)
        return bool(rows) and Place.after(rows[0]) == place

    def pages(self, start: Place) -> Iterator[Sequence[Row]]:
        """The rows after a place, including those added meanwhile. Raises InputError."""
        place = start
        while True:
            # The last row is read again, to check that the rows still have their numbers.
            again = 1 if place.mark else 0
            rows = self._rows(place.rowid, PAGE_ROWS + again)
            if again and not (rows and Place.after(rows[0]) == place):
                raise InputError(
                    f"{visible(str(self._path))} was changed while it was read: its rows have other numbers. "
                    "The same command line begins anew and passes over what is stored"
                )
            if len(rows) == again:
                return
            yield rows[again:]
            place = Place.after(rows[-1])

    def _rows(self, first: int, most: int) -> list[Row]:
        number = self._row_number
        # The names are those of ROW_NUMBERS, REQUIRED and OPTIONAL.
        sql = f"SELECT {number}, {self._columns} FROM triples WHERE {number} >= ? ORDER BY {number} LIMIT ?"  # noqa: S608
        return [Row(*row) for row in self._read(sql, first, most)]

    def _find_columns(self) -> tuple[str, str]:
        """The columns as they are selected, and the name of the rows' number."""
        # SQLite compares names without regard to case.
        found = {name.decode().lower() for (name,) in self._read("SELECT name FROM pragma_table_info('triples')")}
        shown = visible(str(self._path))
        if missing := [name for name in REQUIRED if name not in found]:
            raise InputError(
                f"{shown} is not a database of the old service: it has no table triples with a column {missing[0]}"
            )
        numbers = [name for name in ROW_NUMBERS if name not in found]
        [(sql,)] = self._read("SELECT type || ' ' || sql FROM sqlite_schema WHERE name = 'triples' COLLATE NOCASE")
        if not numbers or sql.startswith(b"view ") or _WITHOUT_NUMBERS.search(sql):
            raise InputError(
                f"In {shown}, the rows of triples have no numbers, by which a migration goes on. {_COPYING}"
            )
        columns = [*REQUIRED, *(name if name in found else "NULL" for name in OPTIONAL)]
        return ", ".join(columns), numbers[0]

    def _read(self, sql: str, *parameters: int) -> list[tuple[Any, ...]]:
        with _readable(self._path):
            rows: list[tuple[Any, ...]] = self._connection.execute(sql, parameters).fetchall()
        if self._idle_since is not None and _state(self._path) != self._idle_since:
            raise InputError(
                f"{visible(str(self._path))} came into use while it was read. The same command line goes on"
            )
        return rows


@contextmanager
def opened(path: Path) -> Iterator[FlaskDatabase]:
    """Open the database. Raises InputError if the file cannot be read or is something else."""
    idle = _is_idle(path)
    # SQLite would leave files next to a database that has a write-ahead log and is not in use.
    mode = "mode=ro&immutable=1" if idle else "mode=ro"
    uri = f"file:{quote(str(path.absolute()))}?{mode}"
    with _readable(path):
        connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE_SECONDS, isolation_level=None)
    with closing(connection):
        # Text that is not UTF-8 is refused with its row.
        connection.text_factory = bytes
        yield FlaskDatabase(path, connection, idle=idle)


def _is_idle(path: Path) -> bool:
    """True if the database has a write-ahead log and is not in use."""
    try:
        with path.open("rb") as file:
            beginning = file.read(_READ_VERSION + 1)
    except OSError as error:
        raise InputError(f"{visible(str(path))}: {error.strerror}") from error
    return beginning[_READ_VERSION:] == bytes([_WAL]) and not _log_of(path).exists()


def _state(path: Path) -> tuple[bool, int, int]:
    status = path.stat()
    return _log_of(path).exists(), status.st_size, status.st_mtime_ns


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into InputError."""
    try:
        yield
    except sqlite3.Error as error:
        hint = ""
        if error.sqlite_errorcode in {sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_CANTOPEN}:
            # Only a process that may write can take in a journal that a crash has left.
            hint = ". If it was not closed properly: start the old service once, or copy the file and those beside it"
        raise InputError(f"{visible(str(path))} cannot be read: {error}{hint}") from error
