"""The interface of a database backend, which `triples.store.sqlite` and `triples.store.postgresql` implement.

The settings choose one of the two at start-up: the backend is in the package of Django's engine. Each protocol here is
implemented by one module of that package, as are those of `triples.store.bulk_interface`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeAlias

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from skg_site.cli.progress import Report
from triples.recursion.programs import Key, Proof
from triples.store.bulk_interface import BulkLoad
from triples.store.dialect import Dialect
from triples.store.inferred.dependents import Dependents
from triples.store.inferred.layout import Progress
from triples.store.inferred.read_snapshots import ReadSnapshots
from triples.store.inferred.state import State
from triples.store.reader_writer_interface import Reads, Writes
from triples.store.sessions import Fetch, Session
from triples.store.term_index import TermIndex

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

    from triples.store.backups.databases import Database
    from triples.store.copying.side import Side
    from triples.store.inferred.run_snapshots import Snapshot

# On PostgreSQL, the connection that holds a run's lease and writes its facts: a run that has lost its lease cannot
# write. None on SQLite, where the lease is a file lock.
Holder: TypeAlias = "psycopg.Connection[Any] | None"


class Lease(NamedTuple):
    """A lock that one process at a time can hold, for a run or for a copy."""

    # Takes the lock without waiting; True if that worked.
    take: Callable[[], bool]
    holder: Holder


class Locks(Protocol):
    """Locks of the whole database. A process that dies releases them at once."""

    def open_lease(self) -> AbstractContextManager[Lease]:
        """Give a lease to the block, which can take it. It is released after the block."""

    def open_copy_lease(self) -> AbstractContextManager[Lease]:
        """The same for a copy of the graph to another database."""

    def import_lock(self, run_id: int, /) -> AbstractContextManager[None]:
        """Hold a lock for the import of this row in the block. Several processes may, as one takes it over."""

    def is_import_locked(self, run_id: int, /) -> bool:
        """True if some process holds a lock for the import. To look disturbs nobody."""

    def migration_lock(self, waiting: Callable[[], None], /) -> AbstractContextManager[None]:
        """Hold the lock of migrations, on a database that is ready for its first table.

        `waiting` is called before a wait.
        """


class Serving(Protocol):
    """A worker's part in guarding the database, from its start to its end."""

    def begin(self) -> None:
        """Begin to serve the database. Raises UnfitDatabase if this code must not serve it.

        A database that cannot be reached is not waited for.
        """

    async def watch(self) -> None:
        """Check the database from time to time, for as long as this is awaited."""

    def end(self) -> None: ...


class InferredFacts(Protocol):
    """The inferred facts that a run writes: all of them, or a small difference. The caller holds the lease of runs.

    Readers see a change whole or, if the process dies before its end, not at all.
    """

    def replace_all(self, rows: "pa.RecordBatchReader", state: State, holder: Holder, progress: Progress, /) -> None:
        """Replace all inferred facts by these rows of `DERIVED`, sorted by key: in this order, writing is fastest."""

    def apply(self, removed: Collection[Key], put: Mapping[Key, Proof], state: State, holder: Holder, /) -> None:
        """Remove facts, then insert or overwrite others. `state.facts` is their number afterwards."""

    def hide(self, state: State, holder: Holder, /) -> None:
        """Determine again which of the current inferred facts are hidden."""

    def contents(self) -> "pa.Table":
        """All inferred facts, sorted by key."""

    def discard(self) -> None:
        """Remove all inferred facts and their state, as if there had been no run."""


class ReplicaState(NamedTuple):
    """A replica of the database, as this process knows it."""

    name: str
    in_use: bool
    lag_seconds: float
    # The numbers of reads that it was given, and of those that failed on it.
    reads: int
    failed_reads: int
    # Why it is not in use, to be told after its name; empty if it is.
    fault: str


class ReplicaUse(NamedTuple):
    """The replicas, and the number of reads that went to the primary."""

    members: Sequence[ReplicaState]
    primary_reads: int


class Upkeep(Protocol):
    """The database as a whole, for probes, metrics and operators."""

    def description(self) -> str:
        """The name of the database for operators, without the password in its URL."""

    def takes_writes(self, cursor: CursorWrapper, /) -> bool:
        """Try a write in a transaction that is rolled back. False, or a database error, if it fails."""

    def size(self, fetch: Fetch, /) -> int:
        """The bytes on disk of facts, inferred facts and logs."""

    def bytes_of_tables(self) -> int:
        """The bytes of the tables, which a vacuum may shrink."""

    def delete_terms(self, cursor: CursorWrapper, unused: str, span: Sequence[int], /) -> list[tuple[int, str]]:
        """Delete the terms that a condition finds, except those that a writer is about to use.

        Returns their ids and texts. `unused` is the end of a statement, from FROM on, with the parameters `span`.
        """

    def tidy(self, tables: Sequence[str], report: Report, /) -> None:
        """Update the planner's statistics and return free space, in steps that let others write in between."""

    def mend_log(self) -> str | None:
        """Move a log aside that does not belong to the database. Returns a sentence about it, or None."""


class Backend(ABC):
    """One kind of database. Connections belong to threads, and are Django's unless said otherwise.

    Reads can go to a replica: no read writes, locks rows or makes a temporary table, which a replica would refuse.
    """

    # The name of the kind of database in traces (`db.system.name`).
    name: ClassVar[str]
    dialect: ClassVar[Dialect]
    # The collation that compares texts by their code points.
    binary_collation: ClassVar[str]
    # Whether the results of queries are cached in Valkey, because a query costs more than a call of Valkey.
    caches_queries: ClassVar[bool]
    # Whether a connection that is closed goes to a pool, for other threads to use.
    pools_connections: ClassVar[bool]

    serving: Serving
    locks: Locks
    upkeep: Upkeep
    term_index: TermIndex

    # Connections.

    @abstractmethod
    def session(self, driver: Any) -> Session:
        """A session on one of the driver's connections."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """A write transaction on this thread's connection. Inside an outer transaction, the outer commit decides."""

    @abstractmethod
    def writer(self, patience: float) -> Writes:
        """`patience`: seconds that a write may take, its wait included, before it fails with OperationalError."""

    @abstractmethod
    def short_reader(self, threads: int, time_limit: float) -> Reads:
        """A reader for reads that take milliseconds, and at most `time_limit` seconds each."""

    @abstractmethod
    def long_reader(self, threads: int, time_limit: float) -> Reads:
        """A reader for all other reads."""

    @abstractmethod
    def read_snapshots(self, driver: Any, time_limit: float | None = None, /) -> ReadSnapshots:
        """The read snapshots of a connection; make at most one for each connection.

        If a statement takes longer than `time_limit` seconds, the server may end it, whatever has become of its reader.
        """

    # For runs and imports. They need Arrow, which is imported at the first use, so that no worker loads it.

    @property
    @abstractmethod
    def inferred(self) -> InferredFacts: ...

    @abstractmethod
    def snapshot(self) -> AbstractContextManager["Snapshot"]:
        """A snapshot of the graph as it is now, whatever others write meanwhile."""

    @property
    @abstractmethod
    def bulk(self) -> BulkLoad: ...

    # About the inferred facts.

    @abstractmethod
    def read_state(self) -> State | None:
        """The current state. None if there has been no run, or if this version of the code cannot read the state."""

    @abstractmethod
    def dependents(self, session: Session) -> AbstractContextManager[tuple[State, Dependents] | None]:
        """The current state, and a search for dependent facts. None if there are no inferred facts.

        The caller's transaction must keep runs from replacing the inferred facts.
        """

    # About replicas: see `triples.store.freshness`.

    @abstractmethod
    def replica_use(self) -> ReplicaUse | None:
        """The replicas of this process; None if there are none."""

    @abstractmethod
    def look_at_replicas(self) -> Iterable[ReplicaState]:
        """The state of each replica, for which it is asked now. `in_use` tells whether it could be used."""

    @abstractmethod
    def position(self) -> int:
        """The position behind everything that is committed by now. Called only if there are replicas."""

    # For operators.

    @abstractmethod
    def backups(self) -> "Database":
        """The database as a whole, to be saved and restored."""

    @abstractmethod
    def own_side(self) -> "Side":
        """The service's database, to be copied from, or to take writes again."""

    @abstractmethod
    def other_side(self, place: str, new_in: Path | None = None) -> "Side":
        """Another database of this kind: its URL or, on SQLite, its path.

        `new_in` is the folder in which a new SQLite database is made, until it is complete and gets that path.
        """


@cache
def backend() -> Backend:
    """The backend of the database that the settings name."""
    return backend_of(settings.DATABASES["default"]["ENGINE"].removesuffix(".engine").rpartition(".")[2])


def backend_of(kind: str) -> Backend:
    """The backend of a kind of database, `sqlite` or `postgresql`."""
    chosen: Backend = import_module(f"triples.store.{kind}.backend").BACKEND
    return chosen
