"""The pooled reader: a few threads with connections of their own, off the event loop."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from time import monotonic
from typing import Any, Generic

from django.db import InterfaceError, OperationalError, connection

from triples.store.backend import backend
from triples.store.group_commit import open_session
from triples.store.inferred.read_snapshots import ReadSnapshots
from triples.store.operations import ReadTimeout
from triples.store.reads_and_writes import Read, Result, WideRead
from triples.store.sessions import Fetch, Rows, Session

# How often the running reads are looked over for those that took too long.
WATCH_SECONDS = 0.25


class Job(Generic[Result]):
    """A read on its way through the pool."""

    __slots__ = ("_claims", "begun", "future", "loop", "read", "started", "stopped", "worker")

    def __init__(self, read: Callable[[Fetch, ReadSnapshots], Result]) -> None:
        self.read = read
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Result] = self.loop.create_future()
        self.started = monotonic()
        self.worker: _Worker | None = None
        self.begun = False
        self.stopped = False
        self._claims = [True]

    def claim(self) -> bool:
        """True for the first caller alone: the thread that starts the job, or who gives it up before."""
        try:
            return self._claims.pop()
        except IndexError:
            return False

    def stop(self) -> None:
        """Never start it, or interrupt it in the database."""
        self.stopped = True
        if not self.claim() and self.worker is not None:
            self.worker.interrupt(self)


class Reader:
    """Runs reads in `threads` threads, each for at most `time_limit` seconds, its wait included."""

    def __init__(self, name: str, threads: int, time_limit: float) -> None:
        self._time_limit = time_limit
        self._queue: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._jobs: dict[Job[Any], None] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._post = _Post()
        self._workers = [_Worker(f"{name}-{number}", self._queue, self._post) for number in range(threads)]

    async def run(self, read: Read[Result]) -> Result:
        """The read's result, or what it raises. Past the time limit ReadTimeout, or OperationalError if it never began.

        A caller that is cancelled cancels the read in the database.
        """
        return await self._run(lambda fetch, _: read(fetch))

    async def run_wide(self, read: WideRead[Result], *, always: bool = False) -> Result:
        """As `Reads.run_wide`."""

        def look(fetch: Fetch, snapshots: ReadSnapshots) -> Result:
            with snapshots.taken(fetch, always=always) as shown:
                return read(fetch, shown)

        return await self._run(look)

    async def _run(self, read: Callable[[Fetch, ReadSnapshots], Result]) -> Result:
        job = Job(read)
        self._jobs[job] = None
        if self._watch is None:
            self._watch = job.loop.call_later(WATCH_SECONDS, self._look_over, job.loop)
        self._queue.put(job)
        try:
            return await job.future
        except asyncio.CancelledError:
            job.stop()
            raise
        finally:
            del self._jobs[job]

    @property
    def depth(self) -> int:
        """How many reads wait or run."""
        return len(self._jobs)

    @property
    def open_connections(self) -> int:
        return sum(worker.connected for worker in self._workers)

    def close(self) -> None:
        """Answer what is queued, then end the threads."""
        for _ in self._workers:
            self._queue.put(None)
        for worker in self._workers:
            while worker.thread.is_alive():
                worker.thread.join(WATCH_SECONDS)
                worker.interrupt_again()

    def _look_over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watch = None
        oldest = monotonic() - self._time_limit
        # An interrupt that comes just before a statement begins is lost, so it is repeated until the job has ended.
        stopping = [worker for worker in self._workers if worker.interrupt_again()]
        for job in list(self._jobs):
            if job.started < oldest and not job.stopped:
                job.stop()
                if not job.future.done():
                    late = OperationalError("no thread or no connection was free for the read")
                    job.future.set_exception(ReadTimeout() if job.begun else late)
        if self._jobs or stopping:
            self._watch = loop.call_later(WATCH_SECONDS, self._look_over, loop)


class _Post:
    """Carries results back to the event loop; those that are ready together share one wake-up."""

    def __init__(self) -> None:
        self._ready: deque[tuple[Job[Any], Any, Exception | None]] = deque()
        self._woken = False

    def deliver(self, job: Job[Any], result: Any, error: Exception | None) -> None:
        self._ready.append((job, result, error))
        if not self._woken and not job.loop.is_closed():
            self._woken = True
            job.loop.call_soon_threadsafe(self._open)

    def _open(self) -> None:
        # First, so that a result that arrives while this loop runs wakes it again.
        self._woken = False
        while self._ready:
            job, result, error = self._ready.popleft()
            if job.future.done():
                continue
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)


class _Worker:
    """One thread of the pool and the read that it is at."""

    def __init__(self, name: str, queue: "SimpleQueue[Job[Any] | None]", post: _Post) -> None:
        self._queue = queue
        self._post = post
        self._job: Job[Any] | None = None
        # Held to change the job and to interrupt it, so that only the job that is meant is interrupted.
        self._turn = threading.Lock()
        self._session: Session | None = None
        self._snapshots: ReadSnapshots | None = None
        self.connected = False
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def interrupt(self, job: Job[Any]) -> None:
        """Interrupt the statement that the job is at, if it is still this thread's job."""
        session = self._session
        if session is None:
            return
        if session.interrupts_at_once:
            self._interrupt(job, session)
        else:
            threading.Thread(target=self._interrupt, args=(job, session), daemon=True).start()

    def interrupt_again(self) -> bool:
        """Interrupt the job if it should have stopped by now; whether that was so."""
        job = self._job
        if job is None or not job.stopped:
            return False
        self.interrupt(job)
        return True

    def _interrupt(self, job: Job[Any], session: Session) -> None:
        # While the lock is held the thread cannot go on to another job, which would be hit instead.
        with self._turn, suppress(Exception):
            if self._job is job:
                session.interrupt()

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            if not job.claim():
                continue
            job.worker = self
            try:
                result, error = self._answer(job), None
            except Exception as raised:  # whatever a read raises is its caller's to handle
                result, error = None, raised
            self._post.deliver(job, result, error)
        self._disconnect()

    def _answer(self, job: Job[Result]) -> Result:
        fresh = connection.connection is None
        try:
            return self._attempt(job)
        except (OperationalError, InterfaceError):
            self._disconnect()
            if fresh or job.stopped:
                raise
            # The server may have closed a connection that lay idle; reads may be sent twice.
            return self._attempt(job)

    def _attempt(self, job: Job[Result]) -> Result:
        session = open_session(connection)
        self.connected = True
        if self._snapshots is None or self._snapshots.driver is not session.driver:
            self._snapshots = backend().read_snapshots(session.driver)

        def fetch(sql: str, parameters: Sequence[Any]) -> Rows:
            if job.stopped:
                raise ReadTimeout
            return session.rows(sql, parameters)

        job.begun = True
        with self._turn:
            self._job, self._session = job, session
        try:
            with connection.wrap_database_errors:
                return job.read(fetch, self._snapshots)
        finally:
            with self._turn:
                self._job = None

    def _disconnect(self) -> None:
        with self._turn:
            self._session = None
        self._snapshots = None
        connection.close()
        self.connected = False
