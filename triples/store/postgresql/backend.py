"""PostgreSQL as the service's database."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from triples.store.backend import Backend, InferredFacts, ReplicaState, ReplicaUse
from triples.store.bulk_interface import BulkLoad
from triples.store.inferred.dependents import Dependents
from triples.store.inferred.read_snapshots import ReadSnapshots
from triples.store.inferred.state import SELECT_STATE, State, state_of
from triples.store.postgresql import locks, replication, serving, upkeep
from triples.store.postgresql.dependents import dependents
from triples.store.postgresql.dialect import POSTGRESQL
from triples.store.postgresql.positions import end_of_log
from triples.store.postgresql.read_snapshots import PostgreSQLReadSnapshots
from triples.store.postgresql.replica_reader import ReplicatedReader
from triples.store.postgresql.replica_report import look
from triples.store.postgresql.replicated_writer import ReplicatedWriter
from triples.store.postgresql.session import PostgreSQLSession
from triples.store.postgresql.term_index import PostgreSQLTermIndex
from triples.store.postgresql.transactions import write_transaction
from triples.store.reader import Reader
from triples.store.reader_writer_interface import Reads, Writes
from triples.store.sessions import Session
from triples.store.writer import Writer

if TYPE_CHECKING:
    from triples.store.backups.databases import Database
    from triples.store.copying.side import Side
    from triples.store.inferred.run_snapshots import Snapshot

# Connections of a worker that write at once: while one waits for the server, Python prepares what the other sends. A
# third gained nothing, since all of a worker's threads take turns. A small pool is for readers and keys first.
MOST_WRITERS = 2
POOL_PER_WRITER = 8


class PostgreSQLBackend(Backend):
    name = "postgresql"
    dialect = POSTGRESQL
    binary_collation = "C"
    caches_queries = True
    pools_connections = True
    serving = serving
    locks = locks
    upkeep = upkeep
    term_index = PostgreSQLTermIndex()

    def session(self, driver: Any) -> Session:
        return PostgreSQLSession(driver)

    def transaction(self) -> AbstractContextManager[None]:
        return write_transaction()

    def writer(self, patience: float) -> Writes:
        threads = min(MOST_WRITERS, max(1, settings.ENV.pool_size // POOL_PER_WRITER))
        return (Writer if replication.REPLICAS is None else ReplicatedWriter)(patience, threads)

    def short_reader(self, threads: int, time_limit: float) -> Reads:
        return _reader("query", threads, time_limit)

    def long_reader(self, threads: int, time_limit: float) -> Reads:
        return _reader("long", threads, time_limit)

    def read_snapshots(self, driver: Any, time_limit: float | None = None) -> ReadSnapshots:
        return PostgreSQLReadSnapshots(driver, time_limit)

    @property
    def inferred(self) -> InferredFacts:
        from triples.store.postgresql import inferred_facts  # noqa: PLC0415  # needs Arrow

        return inferred_facts

    def snapshot(self) -> AbstractContextManager["Snapshot"]:
        from triples.store.postgresql.run_snapshots import snapshot  # noqa: PLC0415  # needs Arrow

        return snapshot()

    @property
    def bulk(self) -> BulkLoad:
        from triples.store.postgresql import bulk  # noqa: PLC0415  # needs Arrow

        return bulk

    def read_state(self) -> State | None:
        with connection.cursor() as cursor:
            cursor.execute(SELECT_STATE)
            return state_of(cursor.fetchall())

    def dependents(self, session: Session) -> AbstractContextManager[tuple[State, Dependents] | None]:
        return dependents(session)

    def replica_use(self) -> ReplicaUse | None:
        replicas = replication.REPLICAS
        if replicas is None:
            return None
        return ReplicaUse([replica.state for replica in replicas.members], replicas.primary_reads)

    def look_at_replicas(self) -> Iterable[ReplicaState]:
        return () if replication.REPLICAS is None else look(replication.REPLICAS.members)

    def position(self) -> int:
        with connection.wrap_database_errors:
            connection.ensure_connection()
            return end_of_log(connection.connection)

    def backups(self) -> "Database":
        from triples.store.postgresql.backups import PostgreSQLDatabase  # noqa: PLC0415  # for operators alone

        return PostgreSQLDatabase()

    def own_side(self) -> "Side":
        from triples.store.postgresql.copying import PostgreSQLSide  # noqa: PLC0415  # needs Arrow

        return PostgreSQLSide(None)

    def other_side(self, place: str, _new_in: Path | None = None) -> "Side":
        from triples.store.postgresql.copying import PostgreSQLSide  # noqa: PLC0415  # needs Arrow

        return PostgreSQLSide(place)


def _reader(name: str, threads: int, time_limit: float) -> Reader:
    replicas = replication.REPLICAS
    if replicas is None:
        return Reader(name, threads, time_limit)
    return ReplicatedReader(name, threads, time_limit, replicas)


BACKEND = PostgreSQLBackend()
