"""The writer of a database with replicas, which knows where in the log its commits are."""

from collections.abc import Sequence
from threading import Lock

from django.db import InterfaceError, OperationalError, connection

from triples.store.freshness import FRESHNESS
from triples.store.group_commit import Result
from triples.store.operations import Operation, Outcome
from triples.store.postgresql.positions import end_of_log
from triples.store.writer import Writer


class ReplicatedWriter(Writer):
    def __init__(self, patience: float, threads: int) -> None:
        # Behind the last commit. It is set before the operations are answered, and only grows.
        self._position = 0
        self._noting = Lock()
        super().__init__(patience, threads)

    async def write(self, operation: Operation) -> Outcome:
        """Like `Writes.write`; the request is told the position."""
        try:
            return await super().write(operation)
        finally:
            # A refusal, too, speaks of something that the client then wants to read.
            if (freshness := FRESHNESS.get()) is not None:
                freshness.note(self._position)

    def _commit_group(self, operations: Sequence[Operation]) -> Sequence[Result]:
        results = super()._commit_group(operations)
        # If the connection breaks here, the operations get that error, as if it had broken during the commit: without
        # the position, a client might not find what it was told is stored.
        try:
            with connection.wrap_database_errors:
                connection.ensure_connection()
                position = end_of_log(connection.connection)
        except (OperationalError, InterfaceError):
            connection.close()
            raise
        with self._noting:
            # Another thread may have asked later, and noted it before.
            self._position = max(self._position, position)
        return results
