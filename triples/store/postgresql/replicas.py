"""The replicas of this process, and the choice of one for a read."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from triples.store.backend import ReplicaState
from triples.store.freshness import Freshness

log = structlog.get_logger("skg.replicas")

# A replica that keeps up has replayed a commit within milliseconds. To wait longer than this would take a client more
# time than the primary takes to answer.
WAIT_SECONDS = 0.25
# Between two looks at what the replicas have replayed, while requests wait for it.
_FIRST_PAUSE, _LAST_PAUSE = 0.001, 0.016


class Replica:
    """One replica, as this process knows it. Only the event loop changes it."""

    def __init__(self, alias: str, name: str) -> None:
        # Django's name of the database, and that for operators.
        self.alias = alias
        self.name = name
        self.in_use = False
        # Why it is not in use, to be told after its name.
        self.fault = "has not been looked at yet"
        self.lag = 0.0
        # It has replayed the log at least up to this position.
        self.replayed = 0
        self.reads = 0
        self.failed_reads = 0
        # Makes its watcher look at once.
        self.look_now: Callable[[], None] = lambda: None
        # Called when it is lost, so that nobody waits for its answers.
        self.abandon: list[Callable[[], None]] = []

    @property
    def state(self) -> ReplicaState:
        fault = "" if self.in_use else self.fault
        return ReplicaState(self.name, self.in_use, self.lag, self.reads, self.failed_reads, fault)

    def enter(self, replayed: int) -> None:
        """Use it for reads."""
        if not self.in_use:
            log.info("replica_in_use", replica=self.name, lag_seconds=round(self.lag, 3))
        self.in_use, self.fault, self.replayed = True, "", replayed

    def leave(self, fault: str, *, lost: bool) -> None:
        """Use it no more. If it is lost, what it had replayed counts no more: it may start again from before that."""
        if self.fault != fault:
            log.warning("replica_not_in_use", replica=self.name, reason=fault)
        self.in_use, self.fault, self.replayed = False, fault, 0
        if lost:
            for abandon in self.abandon:
                abandon()


class Replicas:
    """Chooses a replica for each request."""

    def __init__(self, members: Sequence[Replica]) -> None:
        self.members = members
        self.primary_reads = 0
        self._turn = 0
        # The positions that requests wait for.
        self._waiting: dict[asyncio.Future[Replica], int] = {}
        self._hurrying: asyncio.Task[None] | None = None

    async def chosen(self, freshness: Freshness) -> Replica | None:
        """The replica for the reads of a request; None if they go to the primary."""
        known: Replica | None = freshness.replica
        if known is not None and known.in_use:
            return known
        usable = [replica for replica in self.members if replica.in_use]
        if not usable:
            return None
        self._turn += 1
        for place in range(len(usable)):
            replica = usable[(self._turn + place) % len(usable)]
            if replica.replayed >= freshness.needed:
                return replica
        # One that lags by more will not have it in time.
        if min(replica.lag for replica in usable) > WAIT_SECONDS:
            return None
        return await self._awaited(freshness.needed)

    def reached(self, replica: Replica, position: int) -> None:
        """A replica in use has replayed the log up to a position."""
        replica.replayed = position
        for future, needed in self._waiting.items():
            if position >= needed and not future.done():
                future.set_result(replica)

    async def _awaited(self, needed: int) -> Replica | None:
        """The first replica that has replayed up to a position; None if none has within WAIT_SECONDS."""
        future: asyncio.Future[Replica] = asyncio.get_running_loop().create_future()
        self._waiting[future] = needed
        if self._hurrying is None or self._hurrying.done():
            self._hurrying = asyncio.create_task(self._hurry())
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await future
        except TimeoutError:
            return None
        finally:
            del self._waiting[future]

    async def _hurry(self) -> None:
        """Look at the replicas often, for as long as anybody waits. PostgreSQL 19 can wait itself (WAIT FOR LSN)."""
        pause = _FIRST_PAUSE
        while self._waiting:
            for replica in self.members:
                if replica.in_use:
                    replica.look_now()
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_PAUSE)


def in_one_line(error: Exception) -> str:
    """The message of an error, or its type if it has none."""
    return " ".join(str(error).split()) or type(error).__name__
