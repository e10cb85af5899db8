"""The group-commit writer: one thread that commits together what arrives together."""

import asyncio
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from time import monotonic

from django.db import DatabaseError, OperationalError, connection

from triples.store.operations import AddMany, Operation, Outcome
from triples.store.terms import TermCache
from triples.store.writing import commit_group

# A group is closed at so many facts, so that no request waits long for its neighbours.
MAX_GROUP_FACTS = 2_000

Answer = Outcome | Exception


class Job:
    """An operation on its way through the writer, and where its answer is awaited."""

    __slots__ = ("_claims", "arrived", "future", "loop", "operation")

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Answer] = self.loop.create_future()
        self.arrived = monotonic()
        self._claims = [True]

    def claim(self) -> bool:
        """True for the first caller alone: the writer that starts the job, or who gives it up before."""
        try:
            return self._claims.pop()
        except IndexError:
            return False


class Writer:
    """Answers a write only after the commit that holds it."""

    def __init__(self, patience: float) -> None:
        """`patience`: seconds that a write may wait for its turn before it fails with OperationalError."""
        self._patience = patience
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._waiting: dict[Job, None] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._connected = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    async def write(self, operation: Operation) -> Outcome:
        """The operation's outcome, once it is safe on disk; raises what it ran into."""
        job = Job(operation)
        self._waiting[job] = None
        if self._watch is None:
            self._watch = job.loop.call_later(1, self._give_up_old_jobs, job.loop)
        self._queue.put(job)
        try:
            answer = await job.future
        except asyncio.CancelledError:
            # Not begun: it will not be. Begun: it is committed all the same, and nobody is told.
            job.claim()
            raise
        finally:
            del self._waiting[job]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def depth(self) -> int:
        """How many writes wait or are being committed."""
        return len(self._waiting)

    @property
    def open_connections(self) -> int:
        return int(self._connected)

    def close(self) -> None:
        """Commit what is queued, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _give_up_old_jobs(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watch = None
        now = monotonic()
        for job in list(self._waiting):
            if now - job.arrived > self._patience and job.claim():
                _resolve([(job, OperationalError("the write waited too long for its turn"))])
        if self._waiting:
            self._watch = loop.call_later(1, self._give_up_old_jobs, loop)

    def _run(self) -> None:
        cache = TermCache()
        running = True
        while running:
            jobs, running = self._next_group()
            jobs = [job for job in jobs if job.claim()]
            if jobs:
                _deliver(jobs, _commit(jobs, cache))
                self._connected = connection.connection is not None
        connection.close()

    def _next_group(self) -> tuple[list[Job], bool]:
        """Wait for a job, then take what else is there; False with it when the writer is to end."""
        jobs: list[Job] = []
        facts = 0
        job = self._queue.get()
        while job is not None:
            jobs.append(job)
            facts += len(job.operation.facts) if isinstance(job.operation, AddMany) else 1
            if facts >= MAX_GROUP_FACTS or self._queue.empty():
                return jobs, True
            job = self._queue.get()
        return jobs, False


def _commit(jobs: Sequence[Job], cache: TermCache) -> Sequence[Answer]:
    try:
        return commit_group([job.operation for job in jobs], cache)
    except DatabaseError as error:
        return [error] * len(jobs)
    except Exception as error:  # the thread must outlive whatever one group brings
        return [error] * len(jobs)


def _deliver(jobs: Sequence[Job], answers: Sequence[Answer]) -> None:
    """Wake each event loop once with all of its answers."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Job, Answer]]] = {}
    for job, answer in zip(jobs, answers, strict=True):
        by_loop.setdefault(job.loop, []).append((job, answer))
    for loop, pairs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, pairs)


def _resolve(pairs: Sequence[tuple[Job, Answer]]) -> None:
    for job, answer in pairs:
        if not job.future.done():
            job.future.set_result(answer)
