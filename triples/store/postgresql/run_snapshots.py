"""Run snapshots on PostgreSQL."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import psycopg
import pyarrow as pa
from django.db import OperationalError

from triples.recursion.programs import Program
from triples.store.inferred.arrow_batches import ASSERTED, from_copy
from triples.store.inferred.engine_source import Source
from triples.store.inferred.run_snapshots import ASSERTED_FACTS, Marks, Snapshot, having
from triples.store.postgresql.connections import connect
from triples.store.postgresql.dialect import POSTGRESQL
from triples.store.postgresql.engine_source import PostgreSQLSource

# How long a run waits for open write transactions.
WRITERS_PATIENCE_SECONDS = 60.0

# From the sequences: ids up to these were taken, perhaps by transactions that are still open.
_LAST_IDS = "SELECT " + ", ".join(
    f"coalesce(pg_sequence_last_value(pg_get_serial_sequence('{table}', 'id')::regclass), 0)"
    for table in ("triples_triple", "triples_change")
)
_WRITERS = (
    "SELECT DISTINCT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND relation IN ('triples_triple'::regclass, 'triples_change'::regclass) AND mode = 'RowExclusiveLock'"
)
_IDS = f"SELECT id FROM triples_term WHERE {POSTGRESQL.term_key} = ANY(%s)"
_SUBJECTS = (
    "SELECT DISTINCT subject_id FROM triples_triple"
    f" WHERE predicate_id = ANY(ARRAY({_IDS})) AND object_id = ANY(ARRAY({_IDS})) AND weight > 0 ORDER BY subject_id"
)


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    with connect() as driver:
        marks = Marks(*driver.execute(_LAST_IDS).fetchone() or (0, 0))
        _wait_for_writers(driver)
        driver.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            # The first statement determines the moment of the snapshot.
            driver.execute("SELECT 1")
            yield _Snapshot(driver, marks)
        finally:
            driver.execute("ROLLBACK")


def _wait_for_writers(driver: psycopg.Connection[Any]) -> None:
    """Wait until the current writers have ended. Others can write meanwhile.

    A writer holds this lock on the table before it takes an id, until after the commit. So when the current holders
    have ended, a snapshot has every row whose id was taken before.
    """
    deadline = monotonic() + WRITERS_PATIENCE_SECONDS
    writers = set(driver.execute(_WRITERS))
    while writers:
        if monotonic() > deadline:
            raise OperationalError("a transaction that writes facts does not end")
        sleep(0.005)
        writers &= set(driver.execute(_WRITERS))


class _Snapshot(Snapshot):
    def subjects(self, predicates: Collection[str], objects: Collection[str]) -> pa.Array:
        rows = self._rows(_SUBJECTS, (list(predicates), list(objects)))
        return pa.array([id_ for (id_,) in rows], pa.int64())

    def source(self, program: Program) -> Source:
        return PostgreSQLSource(self.driver, program)

    def _batches(self, predicates: Collection[int] | None) -> Iterator[pa.RecordBatch]:
        statement = f"COPY ({ASSERTED_FACTS}{having(predicates)}) TO STDOUT (FORMAT csv)"
        with self.driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield from from_copy(copy, ASSERTED)
