"""What the service asks of a database. `triples.store.sqlite` and `triples.store.postgresql` do it.

The settings choose one of the two at start-up: the package of Django's engine is the backend's too. Modules of that
package do the work, one for each subject; the protocols here say what they offer.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import psycopg
from django.conf import settings
from django.db.backends.utils import CursorWrapper

from skg_site.cli.progress import Report
from triples.recursion.programs import Key
from triples.store.access import Reads, Writes
from triples.store.dialect import Dialect
from triples.store.inferred.following import Follower
from triples.store.inferred.layout import Progress
from triples.store.inferred.reading import ReadSnapshots
from triples.store.inferred.state import State
from triples.store.sessions import Counts, Fetch, Session
from triples.store.sessions import Key as FactKey
from triples.store.term_index import TermIndex

if TYPE_CHECKING:
    import pyarrow as pa

    from triples.store.backups.databases import Database
    from triples.store.columns import FactColumns
    from triples.store.inferred.snapshots import Snapshot

# The connection that holds a run's lease and writes what it derives, where the lease is a connection's: a run that has
# lost it cannot write.
Holder = psycopg.Connection[Any] | None


class Lease(NamedTuple):
    """A lock that one run at a time may have."""

    # Takes it without waiting; whether that worked.
    take: Callable[[], bool]
    holder: Holder


class Locks(Protocol):
    """Locks of the whole database. A process that dies loses them at once."""

    def open_lease(self) -> AbstractContextManager[Lease]:
        """The lease of a run, to be taken within the block, after which it is free again."""

    def migration_lock(self, waiting: Callable[[], None], /) -> AbstractContextManager[None]:
        """Wait for the lock of migrations and hold it, on a database that is ready for its first table.

        `waiting` is called before a wait.
        """


class Serving(Protocol):
    """A worker's part in guarding the database, from its start to its end."""

    def begin(self) -> None:
        """Serve the database. Raises UnfitDatabase if this code must not, but waits for none that cannot be reached."""

    async def watch(self) -> None:
        """Look after it for as long as this is awaited."""

    def end(self) -> None: ...


class InferredFacts(Protocol):
    """The inferred facts that a run writes. Readers see what it comes to at once and whole, or not at all."""

    def replace_all(self, rows: "pa.Table", state: State, holder: Holder, progress: Progress, /) -> None:
        """Put the rows, sorted by their keys, in the place of all that stand."""

    def apply(self, removed: Collection[Key], rows: Iterable[tuple[Any, ...]], state: State, holder: Holder, /) -> None:
        """Remove facts, then insert or overwrite others."""

    def hide(self, state: State, holder: Holder, /) -> None:
        """Find out anew what is hidden of the facts in place."""

    def contents(self) -> "pa.Table":
        """All of them, in the order of their keys."""

    def discard(self) -> None:
        """Remove them and their state, as if there had been no run."""


class FirstFacts(NamedTuple):
    """What an initial load has stored."""

    # The ids of the texts of all terms.
    ids: dict[str, int]
    facts: int
    subjects: int
    predicates: Counts
    # The keys of the facts with weight 0.
    denials: list[FactKey]


class InitialLoad(Protocol):
    """The first facts of a graph, faster than others can be loaded."""

    # So many are gathered for it, and lost when the import is killed meanwhile.
    MOST_FACTS: int

    def ready_to_sort(self, session: Session, /) -> AbstractContextManager[None]:
        """Around the transaction."""

    def load(
        self, session: Session, facts: "FactColumns", look_up: Callable[[], None], /, *, keep_last: bool
    ) -> FirstFacts | None:
        """Store all of them, within a transaction; None, and nothing done, when others came first.

        `look_up` is called a few times a second, and may raise. `keep_last` is as `FactColumns.rows` says.
        """


class BulkLoad(Protocol):
    """How much of a bulk load is committed at once, and when it gives way to other writers."""

    # A slice is as large as can be written in this time, for which others may wait.
    SLICE_SECONDS: float
    # So many slices are committed together while nobody waits.
    SLICES: int

    def others_wait(self) -> bool:
        """Whether other writers wait for the one that has the write lock, as far as can be told."""

    def give_way(self) -> None:
        """Let those go first who waited, after a commit."""

    def initial_load(self, facts: float, /) -> InitialLoad | None:
        """How to load the next facts, so many, where they are the first and enough for it; None elsewhere."""


class Upkeep(Protocol):
    """The database as a whole, for probes, metrics and operators."""

    def description(self) -> str:
        """What an operator calls it, without the password that its URL holds."""

    def takes_writes(self, cursor: CursorWrapper, /) -> bool:
        """Whether it does, in a transaction that is rolled back; database errors say so too."""

    def size(self, fetch: Fetch, /) -> int:
        """The bytes of all that it keeps on disk: facts, inferred facts and logs."""

    def bytes_of_tables(self) -> int:
        """The bytes of what a vacuum may shrink."""

    def delete_terms(self, cursor: CursorWrapper, unused: str, span: Sequence[int], /) -> list[tuple[int, str]]:
        """Delete the terms that a condition finds, but for those that a writer is about to use; their ids and texts.

        `unused` is the end of a statement, from FROM on, with the parameters `span`.
        """

    def tidy(self, tables: Sequence[str], report: Report, /) -> None:
        """Update the planner's statistics and return free space, in steps that let others write in between."""

    def mend_log(self) -> str | None:
        """Move a log aside that does not belong to the database, and say so; None where there can be none."""


class Backend(ABC):
    """One kind of database. It has no state: connections belong to threads, and are Django's unless said otherwise.

    A connection to a replica, for reads, will have its place beside `session`: no read writes, and none makes a
    temporary table, which a replica would refuse.
    """

    # As traces call the kind of database (`db.system.name`).
    name: ClassVar[str]
    dialect: ClassVar[Dialect]
    # The collation that compares texts by their code points.
    binary_collation: ClassVar[str]
    # Whether a query costs so much that its result is worth keeping in Valkey.
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
        """The statements of writes and reads, on a connection of the driver's."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """A transaction that writes, on this thread's connection. Within an outer one, that one's commit decides."""

    @abstractmethod
    def writer(self, patience: float) -> Writes:
        """`patience`: seconds that a write may take, its wait included, before it fails with OperationalError."""

    @abstractmethod
    def short_reader(self, threads: int, time_limit: float) -> Reads:
        """For reads that take milliseconds, each `time_limit` seconds at most."""

    @abstractmethod
    def read_snapshots(self, driver: Any) -> ReadSnapshots:
        """What a connection sees of the inferred facts; at most one for each connection."""

    # What runs and imports read and write. Arrow, which these need, is loaded with the first use: no worker has it.

    @property
    @abstractmethod
    def inferred(self) -> InferredFacts: ...

    @abstractmethod
    def snapshot(self) -> AbstractContextManager["Snapshot"]:
        """The graph as it stands now, whatever others write meanwhile."""

    @property
    @abstractmethod
    def bulk(self) -> BulkLoad: ...

    # What is known of the inferred facts.

    @abstractmethod
    def read_state(self) -> State | None:
        """The state now; None when there has been no run, or none that this version of the code can read."""

    @abstractmethod
    def following(self, session: Session) -> AbstractContextManager[tuple[State, Follower] | None]:
        """The inferred facts in place, for a transaction that keeps runs from replacing them; None without any."""

    # What operators do.

    @abstractmethod
    def backups(self) -> "Database":
        """The database as a whole, to be saved and restored."""


@cache
def backend() -> Backend:
    """The backend of the database that the settings name."""
    package = settings.DATABASES["default"]["ENGINE"].removesuffix(".engine")
    chosen: Backend = import_module(f"{package}.backend").BACKEND
    return chosen
