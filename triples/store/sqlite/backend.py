"""SQLite as the service's database."""

from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from triples.store.backend import Backend, InferredFacts
from triples.store.bulk_interface import BulkLoad
from triples.store.inferred.dependents import Dependents
from triples.store.inferred.read_snapshots import ReadSnapshots
from triples.store.inferred.state import SELECT_STATE, State, state_of
from triples.store.reader import Reader
from triples.store.reader_writer_interface import Reads, Writes
from triples.store.sessions import Session
from triples.store.sqlite import locks, serving, upkeep
from triples.store.sqlite.connections import connect_for_reading, write_transaction
from triples.store.sqlite.dependents import dependents
from triples.store.sqlite.dialect import SQLITE
from triples.store.sqlite.inferred_files import attach
from triples.store.sqlite.inline_reader import InlineReader
from triples.store.sqlite.prepared_writer import PreparingWriter
from triples.store.sqlite.read_snapshots import SQLiteReadSnapshots
from triples.store.sqlite.session import SQLiteSession
from triples.store.sqlite.term_index import SQLiteTermIndex
from triples.store.writer import Writer

if TYPE_CHECKING:
    from triples.store.backups.databases import Database
    from triples.store.copying.side import Side
    from triples.store.inferred.run_snapshots import Snapshot


class SQLiteBackend(Backend):
    name = "sqlite"
    dialect = SQLITE
    binary_collation = "BINARY"
    caches_queries = False
    pools_connections = False
    serving = serving
    locks = locks
    upkeep = upkeep
    term_index = SQLiteTermIndex()

    def session(self, driver: Any) -> Session:
        return SQLiteSession(driver)

    def transaction(self) -> AbstractContextManager[None]:
        return write_transaction()

    def writer(self, patience: float) -> Writes:
        return (PreparingWriter if settings.ENV.enable_wal else Writer)(patience)

    def short_reader(self, threads: int, time_limit: float) -> Reads:
        return InlineReader("query", threads, time_limit)

    def long_reader(self, threads: int, time_limit: float) -> Reads:
        return Reader("long", threads, time_limit)

    def read_snapshots(self, driver: Any, _time_limit: float | None = None) -> ReadSnapshots:
        return SQLiteReadSnapshots(driver)

    @property
    def inferred(self) -> InferredFacts:
        from triples.store.sqlite import inferred_facts  # noqa: PLC0415  # needs Arrow

        return inferred_facts

    def snapshot(self) -> AbstractContextManager["Snapshot"]:
        from triples.store.sqlite.run_snapshots import snapshot  # noqa: PLC0415  # needs Arrow

        return snapshot()

    @property
    def bulk(self) -> BulkLoad:
        from triples.store.sqlite import bulk  # noqa: PLC0415  # needs Arrow

        return bulk

    def read_state(self) -> State | None:
        with closing(connect_for_reading()) as driver:
            return None if attach(driver) is None else state_of(driver.execute(SELECT_STATE).fetchall())

    def dependents(self, session: Session) -> AbstractContextManager[tuple[State, Dependents] | None]:
        return dependents(session)

    def replica_use(self) -> None:
        """None: Litestream and the like copy the file, and serve nothing from the copy."""

    def look_at_replicas(self) -> tuple[()]:
        return ()

    def position(self) -> int:
        raise AssertionError("there are no replicas")

    def backups(self) -> "Database":
        from triples.store.sqlite.backups import SQLiteDatabase  # noqa: PLC0415  # needs Arrow

        return SQLiteDatabase()

    def own_side(self) -> "Side":
        from triples.store.sqlite.copying import SQLiteSide  # noqa: PLC0415  # needs Arrow

        return SQLiteSide(settings.ENV.db_path, is_own=True)

    def other_side(self, place: str, new_in: Path | None = None) -> "Side":
        from triples.store.sqlite.copying import SQLiteSide  # noqa: PLC0415  # needs Arrow

        path = Path(place)
        if new_in is None:
            return SQLiteSide(path, is_own=False)
        return SQLiteSide(new_in / path.name, is_own=False, place=path)


BACKEND = SQLiteBackend()
