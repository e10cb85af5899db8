"""The derived facts of an evaluation, written to the exchange by the server and read back."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import pyarrow as pa

from triples.recursion.duckdb.workspace import Resources, Workspace
from triples.recursion.engine import EngineFailed
from triples.recursion.outcome import DERIVED
from triples.recursion.packing import proof_columns
from triples.recursion.programs import Program
from triples.recursion.spark.exchange import Folder
from triples.recursion.spark.relation import Relation
from triples.recursion.sql import KEY

_NAME = "derived"


class Returned:
    """`Rows`, which are sorted here, on disk if need be: no server need keep an order over files."""

    def __init__(self, folder: Folder, workspace: Workspace, num_rows: int) -> None:
        self.num_rows = num_rows
        self._folder = folder
        self._workspace = workspace

    def to_reader(self) -> pa.RecordBatchReader:
        if not self.num_rows:
            return DERIVED.empty_table().to_reader()
        return pa.RecordBatchReader.from_batches(DERIVED, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        self._workspace.give(_NAME, self._folder.read(_NAME, DERIVED))
        found = 0
        for batch in self._workspace.reader(f"SELECT {', '.join(DERIVED.names)} FROM {_NAME} ORDER BY {KEY}"):
            found += batch.num_rows
            yield batch
        if found != self.num_rows:
            raise EngineFailed(f"Of {self.num_rows:,} derived facts, {found:,} came back by the exchange.")


@contextmanager
def give_back(
    relation: Relation, program: Program, expected: int, resources: Resources, stopped: Event
) -> Iterator[tuple[Returned, float | None]]:
    """Let the server write the derived facts; the block gets them, and the weight of the lightest."""
    folder = relation.folder
    relation.look()
    relation.session.write(
        f"SELECT subject, object, weight, CAST(height AS INT) AS depth, {proof_columns(program, relation.packing)},"
        " predicate FROM fact WHERE height > 0",
        f"{folder.url}/{_NAME}",
        relation.partitions,
    )
    [(facts, lightest)] = relation.session.rows("SELECT count(*), min(weight) FROM fact WHERE height > 0")
    if facts != expected:
        raise EngineFailed(f"Of {expected:,} facts that the rounds derived, {facts:,} are in the exchange.")
    with Workspace(resources, stopped) as workspace:
        yield Returned(folder, workspace, facts), lightest
