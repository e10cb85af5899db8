"""What the service asks of a database. `triples.store.sqlite` and `triples.store.postgresql` do it.

The settings choose one of the two at start-up: the package of Django's engine is the backend's too. Modules of that
package do the work, one for each subject; the protocols here say what they offer.
"""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, Protocol

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from triples.store.access import Reads, Writes
from triples.store.dialect import Dialect
from triples.store.sessions import Fetch, Session


class Upkeep(Protocol):
    """The database as a whole, for probes, metrics and operators."""

    def description(self) -> str:
        """What an operator calls it, without the password that its URL holds."""

    def takes_writes(self, cursor: CursorWrapper, /) -> bool:
        """Whether it does, in a transaction that is rolled back; database errors say so too."""

    def size(self, fetch: Fetch, /) -> int:
        """The bytes of all that it keeps on disk: facts, inferred facts and logs."""


class Backend(ABC):
    """One kind of database. It has no state: connections belong to threads, and are Django's unless said otherwise."""

    # As traces call the kind of database (`db.system.name`).
    name: ClassVar[str]
    dialect: ClassVar[Dialect]
    # The collation that compares texts by their code points.
    binary_collation: ClassVar[str]
    # Whether a connection that is closed goes to a pool, for other threads to use.
    pools_connections: ClassVar[bool]

    upkeep: Upkeep

    # Connections. One that reads from a replica will have its place here: no read writes, or makes temporary tables.

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


@cache
def backend() -> Backend:
    """The backend of the database that the settings name."""
    package = settings.DATABASES["default"]["ENGINE"].removesuffix(".engine")
    chosen: Backend = import_module(f"{package}.backend").BACKEND
    return chosen
