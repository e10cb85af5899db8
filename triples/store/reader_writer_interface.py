"""Protocols of a process's readers and writer, which a backend provides: `Reads` and `Writes`."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from triples.store.inferred.read_snapshots import VisibleFacts
from triples.store.operations import Operation, Outcome
from triples.store.sessions import Fetch

Result = TypeVar("Result")
Read = Callable[[Fetch], Result]
# A read that may show inferred facts. If there are any, all its statements see one moment; if not, it is given None.
WideRead = Callable[[Fetch, VisibleFacts | None], Result]


class Access(Protocol):
    """The threads and connections of one process."""

    @property
    def depth(self) -> int:
        """The number of operations that wait or run."""

    @property
    def open_connections(self) -> int: ...

    def close(self) -> None:
        """Answer all queued operations, then end the threads."""


class Reads(Access, Protocol):
    async def run(self, read: Read[Result]) -> Result:
        """Run the read and return its result; its errors are raised here.

        A read that exceeds the time limit raises ReadTimeout, or OperationalError if it never began. If the caller is
        cancelled, the read is cancelled in the database.
        """

    async def run_wide(self, read: WideRead[Result], *, always: bool = False) -> Result:
        """Like `run`, for a read that may show inferred facts.

        With `always`, all its statements see one moment even if there has been no run.
        """


class Writes(Access, Protocol):
    async def write(self, operation: Operation) -> Outcome:
        """Return the operation's outcome once it is safe on disk; its errors are raised here."""

    @property
    def longest_wait(self) -> float:
        """The age in seconds of the oldest unanswered write."""
