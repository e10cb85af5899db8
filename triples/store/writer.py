"""The group-commit writer: a thread, or several, each of which commits together the operations that wait for it."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from time import monotonic

from django.db import OperationalError, connection

from skg_site.host.write_lock import write_lock
from triples.store.group_commit import Result, commit_group
from triples.store.operations import Operation, Outcome
from triples.store.signals import group_committed
from triples.store.term_cache import TermCache

# A group has at most about this many facts, so that no request waits long for the others.
MAX_GROUP_FACTS = 2_000
# The same where there are several threads: one leaves to the others what they can commit at the same time. They begin
# when as many wait beside a group that is under way: several small groups take more time than one.
SHARED_GROUP_FACTS = 800

Answer = Outcome | Exception
# A task for the writer's thread.
Task = Callable[[], None]


class Job:
    """An operation in the writer, and the future that receives its answer."""

    __slots__ = ("_claims", "arrived", "facts", "future", "loop", "operation")

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        # The number of facts that the operation writes or removes.
        self.facts = len(operation.facts) + len(operation.ids)
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Answer] = self.loop.create_future()
        self.arrived = monotonic()
        self._claims = [True]

    def claim(self) -> bool:
        """True for the first caller only: the writer that starts the job, or the caller that cancels it before."""
        try:
            return self._claims.pop()
        except IndexError:
            return False


class Writer:
    """Answers a write only after the commit that holds it.

    Each thread has a connection of its own, which it opens when it is first needed. The second thread and those after
    it are needed while the others are busy and a whole group of facts waits.
    """

    def __init__(self, patience: float, threads: int = 1) -> None:
        """A write that takes more than `patience` seconds, including its wait, fails with OperationalError."""
        self._patience = patience
        # One for each thread.
        self._queues: list[SimpleQueue[Task | None]] = [SimpleQueue() for _ in range(threads)]
        self._lock = threading.Lock()
        # Under the lock: the jobs that are in no group yet, the number of their facts, and the numbers of the threads
        # that have nothing to do, the one that worked last at the end.
        self._arrived: deque[Job] = deque()
        self._waiting_facts = 0
        self._idle = list(reversed(range(threads)))
        self._unanswered: dict[Job, None] = {}
        self._watch: asyncio.TimerHandle | None = None
        # What one thread learned of terms by a commit serves all.
        self._cache = TermCache()
        # The numbers of the threads with an open connection.
        self._connected: set[int] = set()
        self._most_facts = MAX_GROUP_FACTS if threads == 1 else SHARED_GROUP_FACTS
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"writer-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def write(self, operation: Operation) -> Outcome:
        """Like `Writes.write`."""
        job = Job(operation)
        self._unanswered[job] = None
        if self._watch is None:
            self._watch = job.loop.call_later(1, self._give_up_old_jobs, job.loop)
        with self._lock:
            self._arrived.append(job)
            self._waiting_facts += job.facts
        self._announce(job)
        try:
            answer = await job.future
        except asyncio.CancelledError:
            # A job that has not begun is dropped. One that has begun is committed, and nobody is told.
            job.claim()
            raise
        finally:
            del self._unanswered[job]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def depth(self) -> int:
        """The number of writes that wait or are being committed."""
        return len(self._unanswered)

    @property
    def longest_wait(self) -> float:
        """The age in seconds of the oldest unanswered write."""
        oldest = next(iter(self._unanswered), None)
        return monotonic() - oldest.arrived if oldest is not None else 0.0

    @property
    def open_connections(self) -> int:
        return len(self._connected)

    def close(self) -> None:
        """Commit all queued operations, then end the threads."""
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()

    def _announce(self, _job: Job) -> None:
        """See to it that a thread commits the job, which has arrived."""
        with self._lock:
            number = self._idle.pop() if self._needs_a_thread() else None
        if number is not None:
            self._queues[number].put(partial(self._commit_groups, number))

    def _needs_a_thread(self) -> bool:
        """Under the lock: whether one of the idle threads has to commit jobs that wait."""
        if not self._arrived or not self._idle:
            return False
        return len(self._idle) == len(self._threads) or self._waiting_facts >= self._most_facts

    def _commit_groups(self, number: int) -> None:
        """In a thread that is not idle: commit one group after the other, for as long as it is needed."""
        while True:
            self._commit_arrived()
            with self._lock:
                self._idle.append(number)
                if not self._needs_a_thread():
                    return
                self._idle.pop()

    def _give_up_old_jobs(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watch = None
        now = monotonic()
        for job in list(self._unanswered):
            if now - job.arrived > self._patience:
                # A job that has begun waits for a lock of the database, and may still be committed.
                state = "waited too long" if job.claim() else "took too long"
                resolve([(job, OperationalError(f"the write {state}"))])
        if self._unanswered:
            self._watch = loop.call_later(1, self._give_up_old_jobs, loop)

    def _run(self, number: int) -> None:
        while (task := self._queues[number].get()) is not None:
            task()
            (self._connected.discard if connection.connection is None else self._connected.add)(number)
        while self._arrived:
            self._commit_arrived()
        connection.close()

    def _commit_arrived(self) -> None:
        """Commit the jobs that have arrived, as one group."""
        if self._arrived:
            self._commit([])

    def _commit(self, claimed: list[Job]) -> None:
        """Commit the claimed jobs or, if there are none, those that have arrived."""
        jobs = claimed
        answers: Sequence[Answer]
        began = ended = 0.0
        try:
            # The group is made once the lock is held, so it has the jobs that arrived during the wait, and none of
            # those that were given up.
            with write_lock():
                jobs = jobs or self._group(self._most_facts)
                began = monotonic()
                answers = self._commit_group([job.operation for job in jobs])
                ended = monotonic()
        except Exception as error:  # the thread must outlive whatever one group brings
            jobs = jobs or self._group(self._most_facts)
            answers = [error] * len(jobs)
        deliver(jobs, answers)
        # Another thread may have taken the jobs that this one was to commit.
        if ended and jobs:
            tell(jobs, ended - began)

    def _commit_group(self, operations: Sequence[Operation]) -> Sequence[Result]:
        return commit_group(operations, self._cache)

    def _group(self, most_facts: int) -> list[Job]:
        """Claim the oldest waiting jobs, which are committed together."""
        jobs: list[Job] = []
        facts = 0
        with self._lock:
            while self._arrived and facts < most_facts:
                job = self._arrived.popleft()
                self._waiting_facts -= job.facts
                if job.claim():
                    jobs.append(job)
                    facts += job.facts
        return jobs


def tell(jobs: Sequence[Job], seconds: float) -> None:
    """Send the signal that a group was committed."""
    group_committed.send_robust(Writer, operations=[job.operation for job in jobs], seconds=seconds)


def deliver(jobs: Sequence[Job], answers: Sequence[Answer]) -> None:
    """Give each event loop all of its answers, with one wake-up."""
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
