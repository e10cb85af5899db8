"""Run snapshots: a run reads the graph of one moment while others go on writing."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from triples.recursion.incremental import Changes
from triples.recursion.programs import Key, Program
from triples.store.inferred.arrow_batches import ASSERTED
from triples.store.inferred.engine_source import Source
from triples.text import MAX_PREDICATE_LENGTH

# Is called with the number of facts read so far.
Progress = Callable[[int], None]

ASSERTED_FACTS = "SELECT subject_id, predicate_id, object_id, weight FROM triples_triple"
_COUNT = "SELECT coalesce(sum(triples), 0) FROM triples_tally"
_COUNT_OF = "SELECT coalesce(sum(facts), 0) FROM triples_predicatetally"
_INSERTED = "SELECT subject_id, predicate_id, object_id FROM triples_triple WHERE id > {} LIMIT {}"
_CHANGED = "SELECT subject_id, predicate_id, object_id FROM triples_change WHERE id > {} LIMIT {}"
_UNFIT = f"SELECT id FROM triples_term WHERE length(text) > {MAX_PREDICATE_LENGTH} ORDER BY id"


class Marks(NamedTuple):
    """The ids up to which a snapshot holds every fact and every change of the journal."""

    triples_up_to: int
    changes_up_to: int


class Snapshot(ABC):
    """One moment of the graph, on a connection of its own."""

    def __init__(self, driver: Any, marks: Marks) -> None:
        self.driver = driver
        self.marks = marks

    def count(self, predicates: Collection[int] | None = None) -> int:
        """The number of asserted facts, or of those with these predicates."""
        [(count,)] = self._rows(_COUNT if predicates is None else _COUNT_OF + having(predicates))
        return int(count)

    def facts(self, progress: Progress, predicates: Collection[int] | None = None) -> pa.RecordBatchReader:
        """All asserted facts, or those with these predicates, by the ids of their terms.

        Each batch is read from the database when it is wanted.
        """

        def batches() -> Iterator[pa.RecordBatch]:
            done = 0
            for batch in self._batches(predicates):
                yield batch
                done += batch.num_rows
                progress(done)

        return pa.RecordBatchReader.from_batches(ASSERTED, batches())

    def changes(self, since: Marks, limit: int) -> Changes | None:
        """The facts inserted, deleted or given another weight since `since`. None if there are more than `limit`."""
        keys: set[Key] = set()
        for statement, mark in ((_INSERTED, since.triples_up_to), (_CHANGED, since.changes_up_to)):
            rows = self._rows(statement.format(int(mark), limit + 1))
            keys.update(Key(*row) for row in rows)
            if len(rows) > limit or len(keys) > limit:
                return None
        return Changes(keys)

    @abstractmethod
    def subjects(self, predicates: Collection[str], objects: Collection[str]) -> pa.Array:
        """The subjects of the facts with one of these predicates, one of these objects, and a weight above 0."""

    def unfit(self) -> pa.Array:
        """The terms that are too long for predicates."""
        return pa.array([id_ for (id_,) in self._rows(_UNFIT)], pa.int64())

    @abstractmethod
    def source(self, program: Program) -> Source:
        """The asserted facts, and those that the last run derived by this program."""

    @abstractmethod
    def _batches(self, predicates: Collection[int] | None) -> Iterator[pa.RecordBatch]: ...

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.driver.execute(sql, parameters).fetchall()
        return found


def having(predicates: Collection[int] | None) -> str:
    """The condition on facts, of any predicate if there are none given."""
    if predicates is None:
        return ""
    # COPY takes no parameters; ids are numbers.
    return f" WHERE predicate_id IN ({', '.join(str(int(id_)) for id_ in predicates) or 'NULL'})"
