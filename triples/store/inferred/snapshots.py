"""The graph as it stood at one moment, for a run to read, while others go on writing."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from time import monotonic, sleep
from typing import Any, NamedTuple

import orjson
import psycopg
import pyarrow as pa
from django.db import OperationalError, connection

from triples.recursion.incremental import Changes
from triples.recursion.programs import Key, Program
from triples.store.inferred.arrow import ASSERTED, from_copy, from_cursor
from triples.store.inferred.sources import PostgreSQLSource, Source, SQLiteSource
from triples.store.postgresql.connections import connect
from triples.store.sqlite.connections import connect_for_reading
from triples.store.sqlite.inferred_files import attach
from triples.text import MAX_PREDICATE_LENGTH

# How long a transaction that writes may stay open while a run waits for it.
WRITERS_PATIENCE_SECONDS = 60.0

# Told how many facts have been read so far.
Progress = Callable[[int], None]

_FACTS = "SELECT subject_id, predicate_id, object_id, weight FROM triples_triple"
_COPY_FACTS = f"COPY ({_FACTS}) TO STDOUT (FORMAT csv)"
_COUNT = "SELECT coalesce(sum(triples), 0) FROM triples_tally"
_INSERTED = "SELECT subject_id, predicate_id, object_id FROM triples_triple WHERE id > {} LIMIT {}"
_CHANGED = "SELECT subject_id, predicate_id, object_id FROM triples_change WHERE id > {} LIMIT {}"
_UNFIT = f"SELECT id FROM triples_term WHERE length(text) > {MAX_PREDICATE_LENGTH} ORDER BY id"


class Marks(NamedTuple):
    """Up to which ids a snapshot holds every fact and every change of the journal."""

    triples_up_to: int
    changes_up_to: int


class Snapshot(ABC):
    """One moment of the graph, on a connection of its own."""

    def __init__(self, driver: Any, marks: Marks) -> None:
        self.driver = driver
        self.marks = marks

    @property
    def count(self) -> int:
        """How many facts are asserted."""
        [(count,)] = self._rows(_COUNT)
        return int(count)

    def facts(self, progress: Progress) -> pa.Table:
        """All asserted facts, by the ids of their terms."""
        batches: list[pa.RecordBatch] = []
        done = 0
        for batch in self._batches():
            batches.append(batch)
            done += batch.num_rows
            progress(done)
        return pa.Table.from_batches(batches, ASSERTED)

    def changes(self, since: Marks, limit: int) -> Changes | None:
        """The facts that were inserted, deleted or given another weight since then; None when more than `limit`."""
        keys: set[Key] = set()
        for statement, mark in ((_INSERTED, since.triples_up_to), (_CHANGED, since.changes_up_to)):
            rows = self._rows(statement.format(int(mark), limit + 1))
            keys.update(Key(*row) for row in rows)
            if len(rows) > limit or len(keys) > limit:
                return None
        return Changes(keys)

    @abstractmethod
    def subjects(self, predicates: Collection[str], objects: Collection[str]) -> pa.Array:
        """The subjects of the facts with one of these predicates and one of these objects, but for weight 0."""

    def unfit(self) -> pa.Array:
        """The terms that are too long for predicates."""
        return pa.array([id_ for (id_,) in self._rows(_UNFIT)], pa.int64())

    @abstractmethod
    def source(self, program: Program) -> Source:
        """What is asserted, and what the last run derived by this program."""

    @abstractmethod
    def _batches(self) -> Iterator[pa.RecordBatch]: ...

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.driver.execute(sql, parameters).fetchall()
        return found


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """The graph as it stands now."""
    with _of_postgresql() if connection.vendor == "postgresql" else _of_sqlite() as taken:
        yield taken


@contextmanager
def _of_sqlite() -> Iterator[Snapshot]:
    with closing(connect_for_reading()) as driver:
        inferred = attach(driver) is not None
        driver.execute("BEGIN")
        # One writer after the other: a larger id is of a later commit.
        [marks] = driver.execute(
            "SELECT (SELECT coalesce(max(id), 0) FROM triples_triple),"
            " (SELECT coalesce(max(id), 0) FROM triples_change)"
        )
        yield _SQLiteSnapshot(driver, Marks(*marks), inferred=inferred)


@contextmanager
def _of_postgresql() -> Iterator[Snapshot]:
    with connect() as driver:
        marks = Marks(*driver.execute(_LAST_IDS).fetchone() or (0, 0))
        _wait_for_writers(driver)
        driver.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            # The first statement settles which moment it is.
            driver.execute("SELECT 1")
            yield _PostgreSQLSnapshot(driver, marks)
        finally:
            driver.execute("ROLLBACK")


# Not the largest ids to be seen: a transaction that is still open may have taken a smaller one.
_LAST_IDS = "SELECT " + ", ".join(
    f"coalesce(pg_sequence_last_value(pg_get_serial_sequence('{table}', 'id')::regclass), 0)"
    for table in ("triples_triple", "triples_change")
)
_WRITERS = (
    "SELECT DISTINCT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND relation IN ('triples_triple'::regclass, 'triples_change'::regclass) AND mode = 'RowExclusiveLock'"
)


def _wait_for_writers(driver: psycopg.Connection[Any]) -> None:
    """Wait until all have ended that write now, and let others write meanwhile.

    Who takes an id holds this lock on the table from before that until after the commit. So once those that hold it
    now have ended, a snapshot has every row whose id was taken before.
    """
    deadline = monotonic() + WRITERS_PATIENCE_SECONDS
    writers = set(driver.execute(_WRITERS))
    while writers:
        if monotonic() > deadline:
            raise OperationalError("a transaction that writes facts does not end")
        sleep(0.005)
        writers &= set(driver.execute(_WRITERS))


class _SQLiteSnapshot(Snapshot):
    def __init__(self, driver: Any, marks: Marks, *, inferred: bool) -> None:
        super().__init__(driver, marks)
        self._inferred = inferred

    def subjects(self, predicates: Collection[str], objects: Collection[str]) -> pa.Array:
        texts = [orjson.dumps(list(given)).decode() for given in (predicates, objects)]
        return pa.array([id_ for (id_,) in self._rows(_SUBJECTS_SQLITE, texts)], pa.int64())

    def source(self, program: Program) -> Source:
        assert self._inferred, "there is a program only where there has been a run"
        return SQLiteSource(self.driver, program)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        return from_cursor(self.driver.execute(_FACTS), ASSERTED)


class _PostgreSQLSnapshot(Snapshot):
    def subjects(self, predicates: Collection[str], objects: Collection[str]) -> pa.Array:
        rows = self._rows(_SUBJECTS_POSTGRESQL, (list(predicates), list(objects)))
        return pa.array([id_ for (id_,) in rows], pa.int64())

    def source(self, program: Program) -> Source:
        return PostgreSQLSource(self.driver, program)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        with self.driver.cursor() as cursor, cursor.copy(_COPY_FACTS) as copy:
            yield from from_copy(copy, ASSERTED)


_SUBJECTS_SQLITE = (
    "SELECT DISTINCT t.subject_id FROM json_each(?) AS p CROSS JOIN triples_term AS pt ON pt.text = p.value"
    " CROSS JOIN json_each(?) AS o CROSS JOIN triples_term AS ot ON ot.text = o.value"
    " CROSS JOIN triples_triple AS t INDEXED BY triple_po"
    " ON t.predicate_id = pt.id AND t.object_id = ot.id AND t.weight > 0 ORDER BY t.subject_id"
)
_SUBJECTS_POSTGRESQL = (
    "SELECT DISTINCT subject_id FROM triples_triple"
    " WHERE predicate_id = ANY(ARRAY(SELECT id FROM triples_term WHERE text = ANY(%s)))"
    " AND object_id = ANY(ARRAY(SELECT id FROM triples_term WHERE text = ANY(%s))) AND weight > 0 ORDER BY subject_id"
)
