"""Run snapshots on SQLite."""

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from typing import Any

import orjson
import pyarrow as pa

from triples.recursion.programs import Program
from triples.store.inferred.arrow_batches import ASSERTED, from_cursor
from triples.store.inferred.engine_source import Source
from triples.store.inferred.run_snapshots import ASSERTED_FACTS, Marks, Snapshot, having
from triples.store.sqlite.connections import connect_for_reading
from triples.store.sqlite.engine_source import SQLiteSource
from triples.store.sqlite.inferred_files import attach

# How many times as much a row costs that is found by an index as one that is passed over in a scan of the table.
_DEARER = 4
_SUBJECTS = (
    "SELECT DISTINCT t.subject_id FROM json_each(?) AS p CROSS JOIN triples_term AS pt ON pt.text = p.value"
    " CROSS JOIN json_each(?) AS o CROSS JOIN triples_term AS ot ON ot.text = o.value"
    " CROSS JOIN triples_triple AS t INDEXED BY triple_po"
    " ON t.predicate_id = pt.id AND t.object_id = ot.id AND t.weight > 0 ORDER BY t.subject_id"
)


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    with closing(connect_for_reading()) as driver:
        inferred = attach(driver) is not None
        driver.execute("BEGIN")
        # Writers do not overlap, so a larger id is of a later commit.
        [marks] = driver.execute(
            "SELECT (SELECT coalesce(max(id), 0) FROM triples_triple),"
            " (SELECT coalesce(max(id), 0) FROM triples_change)"
        )
        yield _Snapshot(driver, Marks(*marks), inferred=inferred)


class _Snapshot(Snapshot):
    def __init__(self, driver: Any, marks: Marks, *, inferred: bool) -> None:
        super().__init__(driver, marks)
        self._inferred = inferred

    def subjects(self, predicates: Collection[str], objects: Collection[str]) -> pa.Array:
        texts = [orjson.dumps(list(given)).decode() for given in (predicates, objects)]
        return pa.array([id_ for (id_,) in self._rows(_SUBJECTS, texts)], pa.int64())

    def source(self, program: Program) -> Source:
        assert self._inferred, "there is a program only where there has been a run"
        return SQLiteSource(self.driver, program)

    def _batches(self, predicates: Collection[int] | None) -> Iterator[pa.RecordBatch]:
        few = predicates is not None and _DEARER * self.count(predicates) < self.count()
        way = "INDEXED BY triple_p" if few else "NOT INDEXED"
        return from_cursor(self.driver.execute(f"{ASSERTED_FACTS} {way}{having(predicates)}"), ASSERTED)
