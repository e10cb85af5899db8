"""How the graph reads and writes: what it asks of the threads that a backend gives it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from triples.store.inferred.read_snapshots import VisibleFacts
from triples.store.operations import Operation, Outcome
from triples.store.sessions import Fetch

Result = TypeVar("Result")
Read = Callable[[Fetch], Result]
# A read that may show inferred facts: if there are any, all that it fetches is of one moment. None when there are none.
WideRead = Callable[[Fetch, VisibleFacts | None], Result]


class Access(Protocol):
    """Threads and connections of one process."""

    @property
    def depth(self) -> int:
        """How many operations wait or are under way."""

    @property
    def open_connections(self) -> int: ...

    def close(self) -> None:
        """Answer what is queued, then end the threads."""


class Reads(Access, Protocol):
    async def run(self, read: Read[Result]) -> Result:
        """The read's result, or what it raises. Past the time limit ReadTimeout, or OperationalError if it never began.

        A caller that is cancelled cancels the read in the database.
        """

    async def run_wide(self, read: WideRead[Result], *, always: bool = False) -> Result:
        """As `run`, for a read that may show inferred facts.

        With `always`, all that it fetches is of one moment, also when there has been no run.
        """


class Writes(Access, Protocol):
    async def write(self, operation: Operation) -> Outcome:
        """The operation's outcome, once it is safe on disk; raises what it ran into."""

    @property
    def longest_wait(self) -> float:
        """Seconds since the oldest write that is not answered yet came."""
