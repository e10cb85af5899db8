"""The reader of a database with replicas: a read goes to one of them, or to the primary."""

from time import monotonic
from typing import Any
from weakref import WeakSet

from django.db import DatabaseError, InterfaceError, OperationalError

from triples.store.freshness import FRESHNESS
from triples.store.inferred.read_snapshots import Read, ReadSnapshots, Result
from triples.store.postgresql.positions import position
from triples.store.postgresql.replicas import Replica, Replicas, in_one_line
from triples.store.reader import Reader
from triples.store.sessions import Fetch

_REPLAYED = "SELECT pg_last_wal_replay_lsn()"
# The SQLSTATEs of a server that ends or does not let anybody in. Others are those of one read, which was in the way of
# the replay (40001) or wanted a table that has not arrived yet (42P01). Where there is none, the connection broke.
_LOST = ("08", "28", "3D", "57P")


class ReplicatedReader(Reader):
    """Reads on the primary's threads or, for requests that allow it, on those of a replica."""

    def __init__(self, name: str, threads: int, time_limit: float, replicas: Replicas) -> None:
        super().__init__(name, threads, time_limit)
        self._replicas = replicas
        self._of = {
            replica: _ReplicaReader(f"{name}-{replica.alias}", threads, time_limit, replica)
            for replica in replicas.members
        }
        for replica, reader in self._of.items():
            replica.abandon.append(reader.abandon)

    async def run(self, read: Read[Result]) -> Result:
        freshness, started = FRESHNESS.get(), monotonic()
        if freshness is not None and not freshness.newest:
            replica = freshness.replica = await self._replicas.chosen(freshness)
            if replica is not None:
                try:
                    return await self._of[replica].run_on_replica(read, freshness.needed, started)
                except (DatabaseError, InterfaceError) as error:
                    if monotonic() - started > self.time_limit:
                        raise
                    _note_failure(replica, error)
            # What a request has read on the primary, a replica may not have yet.
            freshness.newest = True
        self._replicas.primary_reads += 1
        return await self._run_since(started, read)

    @property
    def depth(self) -> int:
        return super().depth + sum(reader.depth for reader in self._of.values())

    @property
    def open_connections(self) -> int:
        return super().open_connections + sum(reader.open_connections for reader in self._of.values())

    def close(self) -> None:
        super().close()
        for replica, reader in self._of.items():
            replica.abandon.remove(reader.abandon)
            reader.close()


class _ReplicaReader(Reader):
    """The threads that read one replica."""

    def __init__(self, name: str, threads: int, time_limit: float, replica: Replica) -> None:
        super().__init__(name, threads, time_limit, alias=replica.alias, tries_again=False)
        self._replica = replica
        # The connections that were open when the replica was last seen to be as far as it was said to be.
        self._seen: WeakSet[Any] = WeakSet()

    async def run_on_replica(self, read: Read[Result], needed: int, started: float) -> Result:
        def checked(fetch: Fetch, snapshots: ReadSnapshots) -> Result:
            # A replica that has started again since it was looked at may have gone back in time; but that has ended
            # its connections.
            if snapshots.driver not in self._seen:
                [(replayed,)] = fetch(_REPLAYED, ())
                if position(replayed) < needed:
                    raise OperationalError("the replica is not as far any more")
                self._seen.add(snapshots.driver)
            return read(fetch, snapshots)

        self._replica.reads += 1
        return await self._run_since(started, checked)

    def abandon(self) -> None:
        """Let all reads fail that wait for an answer."""
        for job in list(self._jobs):
            job.claim()
            if not job.future.done():
                job.future.set_exception(OperationalError("the replica is lost"))


def _note_failure(replica: Replica, error: Exception) -> None:
    replica.failed_reads += 1
    code = getattr(error.__cause__, "sqlstate", None)
    if replica.in_use and (code is None or code.startswith(_LOST)):
        replica.leave(f"failed in a read: {in_one_line(error)}", lost=False)
