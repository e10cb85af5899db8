"""The group-commit writer: one thread that commits together what arrives together."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from time import monotonic

from django.db import OperationalError, connection

from skg_site.host.write_lock import write_lock
from triples.store.group_commit import commit_group
from triples.store.operations import AddMany, Operation, Outcome, RemoveMany
from triples.store.signals import group_committed
from triples.store.terms import TermCache

# A group is closed at so many facts, so that no request waits long for its neighbours.
MAX_GROUP_FACTS = 2_000

Answer = Outcome | Exception
# What the thread is asked to do.
Errand = Callable[[], None]


class Job:
    """An operation on its way through the writer, and where its answer is awaited."""

    __slots__ = ("_claims", "arrived", "future", "loop", "operation")

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Answer] = self.loop.create_future()
        self.arrived = monotonic()
        self._claims = [True]

    @property
    def facts(self) -> int:
        """How much work it is."""
        match self.operation:
            case AddMany(facts=many) | RemoveMany(ids=many):
                return len(many)
            case _:
                return 1

    def claim(self) -> bool:
        """True for the first caller alone: the writer that starts the job, or who gives it up before."""
        try:
            return self._claims.pop()
        except IndexError:
            return False


class Writer:
    """Answers a write only after the commit that holds it."""

    def __init__(self, patience: float) -> None:
        """`patience`: seconds that a write may take, its wait included, before it fails with OperationalError."""
        self._patience = patience
        self._queue: SimpleQueue[Errand | None] = SimpleQueue()
        # Those that are in no group yet.
        self._arrived: deque[Job] = deque()
        self._unanswered: dict[Job, None] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._cache = TermCache()
        self._connected = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    async def write(self, operation: Operation) -> Outcome:
        """The operation's outcome, once it is safe on disk; raises what it ran into."""
        job = Job(operation)
        self._unanswered[job] = None
        if self._watch is None:
            self._watch = job.loop.call_later(1, self._give_up_old_jobs, job.loop)
        self._arrived.append(job)
        self._announce(job)
        try:
            answer = await job.future
        except asyncio.CancelledError:
            # Not begun: it will not be. Begun: it is committed all the same, and nobody is told.
            job.claim()
            raise
        finally:
            del self._unanswered[job]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def depth(self) -> int:
        """How many writes wait or are being committed."""
        return len(self._unanswered)

    @property
    def longest_wait(self) -> float:
        """Seconds since the oldest write that is not answered yet came."""
        oldest = next(iter(self._unanswered), None)
        return monotonic() - oldest.arrived if oldest is not None else 0.0

    @property
    def open_connections(self) -> int:
        return int(self._connected)

    def close(self) -> None:
        """Commit what is queued, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _announce(self, _job: Job) -> None:
        """Tell the thread that a job has arrived."""
        self._queue.put(self._commit_arrived)

    def _give_up_old_jobs(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watch = None
        now = monotonic()
        for job in list(self._unanswered):
            if now - job.arrived > self._patience:
                # One that has begun hangs in a lock of the database, and may be committed yet.
                state = "waited too long for its turn" if job.claim() else "took too long"
                resolve([(job, OperationalError(f"the write {state}"))])
        if self._unanswered:
            self._watch = loop.call_later(1, self._give_up_old_jobs, loop)

    def _run(self) -> None:
        while (errand := self._queue.get()) is not None:
            errand()
            self._connected = connection.connection is not None
        while self._arrived:
            self._commit_arrived()
        connection.close()

    def _commit_arrived(self) -> None:
        """Commit what has arrived, as one group."""
        if self._arrived:
            self._commit([])

    def _commit(self, claimed: list[Job]) -> None:
        """Commit these, or what has arrived if there are none."""
        jobs = claimed
        answers: Sequence[Answer]
        began = ended = 0.0
        try:
            # Those that arrive while other processes have their turn are in the group too; and who has waited
            # too long by then has given up.
            with write_lock():
                jobs = jobs or self._group(MAX_GROUP_FACTS)
                began = monotonic()
                answers = commit_group([job.operation for job in jobs], self._cache)
                ended = monotonic()
        except Exception as error:  # the thread must outlive whatever one group brings
            jobs = jobs or self._group(MAX_GROUP_FACTS)
            answers = [error] * len(jobs)
        deliver(jobs, answers)
        if ended:
            tell(jobs, ended - began)

    def _group(self, most_facts: int) -> list[Job]:
        """Claim what is to be committed together: the oldest that wait."""
        jobs: list[Job] = []
        facts = 0
        while self._arrived and facts < most_facts:
            job = self._arrived.popleft()
            if job.claim():
                jobs.append(job)
                facts += job.facts
        return jobs


def tell(jobs: Sequence[Job], seconds: float) -> None:
    """Say that a group was committed, to whoever counts."""
    group_committed.send_robust(Writer, operations=[job.operation for job in jobs], seconds=seconds)


def deliver(jobs: Sequence[Job], answers: Sequence[Answer]) -> None:
    """Wake each event loop once with all of its answers."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Job, Answer]]] = {}
    for job, answer in zip(jobs, answers, strict=True):
        by_loop.setdefault(job.loop, []).append((job, answer))
    for loop, pairs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(resolve, pairs)


def resolve(pairs: Sequence[tuple[Job, Answer]]) -> None:
    for job, answer in pairs:
        if not job.future.done():
            job.future.set_result(answer)
