"""Protocols of a process's readers and writer, which a backend provides: `Reads` and `Writes`."""

from typing import Protocol

from triples.store.inferred.read_snapshots import Read, Result
from triples.store.operations import Operation, Outcome


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
        """Run the read, which takes a snapshot itself if it needs one; its errors are raised here.

        A read that exceeds the time limit raises ReadTimeout, or OperationalError if it never began. If the caller is
        cancelled, the read is cancelled in the database.
        """


class Writes(Access, Protocol):
    async def write(self, operation: Operation) -> Outcome:
        """Return the operation's outcome once it is safe on disk; its errors are raised here."""

    @property
    def longest_wait(self) -> float:
        """The age in seconds of the oldest unanswered write."""
