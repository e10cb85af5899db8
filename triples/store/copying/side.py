"""One side of a copy: a database that is copied from or to. The same for both kinds, but for the methods below."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from triples.store.copying import record
from triples.store.copying.record import Record, Stage
from triples.store.copying.tables import GROUP, Column, Kind, Table
from triples.store.inferred.state import State

if TYPE_CHECKING:
    import pyarrow as pa

Row = tuple[Any, ...]
Key = tuple[Any, ...]
_IDS_AT_ONCE = 2_000


class Digest(NamedTuple):
    """The digest of a group of rows: their number, and two sums over their ids and versions."""

    rows: int
    first: int
    second: int


# The products stay below 2^63, where SQLite would go on with inexact numbers and PostgreSQL would fail.
_DIGESTS = (
    "SELECT g, count(*), CAST(sum(m) AS BIGINT), CAST(sum((m * (m % 1000003)) % 2147483579) AS BIGINT) FROM"
    f" (SELECT id / {GROUP} AS g, ((id % 2147483647) * 1103515245"
    " + (CAST(coalesce({version}, 0) AS BIGINT) % 2147483647) * 1540483477) % 2147483629 AS m FROM {table}) AS d"
    " GROUP BY g"
)


class Log(NamedTuple):
    """A log that cannot be emptied while a snapshot is read: its bytes, and those that are free on its disk."""

    size: int
    free: int


class Side(ABC):
    """A connection of its own, in autocommit. All methods that read see one moment within `snapshot` or `stopped`."""

    # The name of the kind, and of the database, without a password.
    kind: ClassVar[str]
    name: str
    # Stands for a value in a statement.
    placeholder: ClassVar[str]
    # The condition that an id is one of a list, which is the only value.
    id_is_one_of: ClassVar[str]
    # They make a value that was read one that is the same for both databases, and back; not called for NULL.
    decoders: ClassVar[Mapping[Kind, Callable[[Any], Any]]]
    encoders: ClassVar[Mapping[Kind, Callable[[Any], Any]]]

    @abstractmethod
    def fetch(self, statement: str, values: Sequence[Any] = (), /) -> list[Row]: ...

    @abstractmethod
    def id_list(self, ids: Sequence[int]) -> Any:
        """The value of `id_is_one_of`."""

    @abstractmethod
    def selected(self, column: Column) -> str:
        """The expression that reads a column."""

    @abstractmethod
    def close(self) -> None: ...

    # Reading and writing.

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """Read one moment, whatever others write meanwhile."""

    def log(self) -> Log | None:
        """The log that grows during a snapshot, if this kind of database has one."""
        return None

    def empty_log(self) -> None:
        """Let that log be written anew from its beginning. To be called without a snapshot; it may do nothing."""
        return

    @abstractmethod
    def writing(self) -> AbstractContextManager[None]:
        """A transaction of the copy itself, which may write what others must not. On disk at its end."""

    @abstractmethod
    def delete(self, table: Table, keys: Sequence[Key]) -> None: ...

    @abstractmethod
    def insert(self, table: Table, rows: Iterable[Row]) -> None: ...

    @abstractmethod
    def drop_indexes(self, tables: Sequence[str]) -> list[str]:
        """Drop what slows the filling of empty tables down. Returns the statements that make it again."""

    @abstractmethod
    def rebuild(self, statement: str) -> None: ...

    @abstractmethod
    def analyze(self) -> None:
        """Tell the planner what there is now."""

    # The ids that were given so far.

    @abstractmethod
    def last_id(self, table: Table) -> int: ...

    @abstractmethod
    def set_last_id(self, table: Table, id_: int) -> None: ...

    # Tables.

    @abstractmethod
    def table_names(self) -> set[str]: ...

    @abstractmethod
    def derived_tables(self) -> set[str]:
        """Tables of this kind of database that are made from others, or have nothing to tell elsewhere."""

    @abstractmethod
    def require_sound(self) -> None:
        """Raise CopyFailure if rows refer to rows that are not there."""

    # Inferred facts.

    @abstractmethod
    def write_inferred(
        self, rows: "pa.RecordBatchReader", state: State, progress: Callable[[int, int], None]
    ) -> None: ...

    @abstractmethod
    def inferred_generation(self) -> int | None: ...

    # Refusing writes.

    @abstractmethod
    def stopped(self) -> AbstractContextManager[None]:
        """Hold the locks of all writers: they wait. What the block does is committed at its end."""

    @abstractmethod
    def refuse(self, sentence: str, copy: str) -> None:
        """Let triggers refuse all writes, except those of the copy with this id. Within a transaction."""

    @abstractmethod
    def allow(self) -> None:
        """Take the triggers away. Within a transaction."""

    @abstractmethod
    def guard(self, sentence: str, copy: str) -> None:
        """`refuse`, for an unfinished copy; nothing is needed where nobody can open it yet."""

    @abstractmethod
    def write_for(self, copy: str) -> None:
        """From now on, transactions of `writing` are those of the copy with this id."""

    @abstractmethod
    def erase(self, tables: Sequence[Table]) -> None:
        """Delete all rows of an unfinished copy. Within a transaction."""

    @abstractmethod
    def publish(self) -> None:
        """Give the complete copy its name, if it has not got it yet; nothing happens if it has."""

    # What is the same for both.

    def count(self, table: str) -> int:
        """The number of rows of the table with this name."""
        [(number,)] = self.fetch(f'SELECT count(*) FROM "{table}"')
        return int(number)

    def digests(self, table: Table) -> dict[int, Digest]:
        statement = _DIGESTS.format(table=table.name, version=table.version or "0")
        return {group: Digest(rows, int(first), int(second)) for group, rows, first, second in self.fetch(statement)}

    def rows(self, table: Table, group: int | None = None) -> list[Row]:
        """All rows, or those of a group."""
        if group is None:
            return self._decoded(table, self.fetch(self._select(table)))
        return self._decoded(table, self.fetch(f"{self._select(table)} WHERE {self._span}", self._ends(group)))

    def next_group(self, table: Table, group: int) -> int | None:
        """The first group from this one on that has rows; None if there is none."""
        statement = f"SELECT min(id) FROM {table.name} WHERE id >= {self.placeholder}"
        [(id_,)] = self.fetch(statement, [group * GROUP])
        return None if id_ is None else int(id_) // GROUP

    def versions(self, table: Table, group: int) -> dict[int, Any]:
        statement = f"SELECT id, {table.version or '0'} FROM {table.name} WHERE {self._span}"
        return {row[0]: row[1] for row in self.fetch(statement, self._ends(group))}

    def rows_by_id(self, table: Table, ids: Collection[int]) -> Iterator[list[Row]]:
        statement = f"{self._select(table)} WHERE {self.id_is_one_of}"
        waiting = iter(sorted(ids))
        while part := list(islice(waiting, _IDS_AT_ONCE)):
            yield self._decoded(table, self.fetch(statement, [self.id_list(part)]))

    def changed_since(self, table: Table, milliseconds: int) -> list[int]:
        statement = f"SELECT id FROM {table.name} WHERE {table.changed_at} >= {self.placeholder}"
        return [id_ for (id_,) in self.fetch(statement, [milliseconds])]

    def record(self) -> Record | None:
        if record.TABLE not in self.table_names():
            return None
        return record.record_of(self.fetch(f"SELECT {record.COLUMNS} FROM {record.TABLE} WHERE id = 1"))

    def write_record(self, copy: str, stage: Stage, rebuild: Sequence[str] = ()) -> None:
        """Within a transaction."""
        self.execute(record.CREATE)
        self.execute(f"DELETE FROM {record.TABLE}")
        values = ", ".join([self.placeholder] * 3)
        self.execute(
            f"INSERT INTO {record.TABLE} (id, {record.COLUMNS}) VALUES (1, {values})",
            Record(copy, stage, list(rebuild)).row,
        )

    def forget_record(self) -> None:
        self.execute(f"DROP TABLE IF EXISTS {record.TABLE}")

    @abstractmethod
    def execute(self, statement: str, values: Sequence[Any] = (), /) -> None: ...

    def _select(self, table: Table) -> str:
        return f"SELECT {', '.join(map(self.selected, table.columns))} FROM {table.name}"

    @property
    def _span(self) -> str:
        return f"id >= {self.placeholder} AND id < {self.placeholder}"

    @staticmethod
    def _ends(group: int) -> tuple[int, int]:
        return group * GROUP, (group + 1) * GROUP

    def _decoded(self, table: Table, rows: list[Row]) -> list[Row]:
        return _converted(table, rows, self.decoders)

    def _encoded(self, table: Table, rows: list[Row]) -> list[Row]:
        return _converted(table, rows, self.encoders)


def _converted(table: Table, rows: list[Row], by_kind: Mapping[Kind, Callable[[Any], Any]]) -> list[Row]:
    converters = [by_kind.get(column.kind) for column in table.columns]
    if not any(converters):
        return rows
    return [
        tuple(
            value if convert is None or value is None else convert(value)
            for value, convert in zip(row, converters, strict=True)
        )
        for row in rows
    ]
