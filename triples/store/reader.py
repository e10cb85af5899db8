"""The pooled reader: a few threads, each with its own connection, that keep long reads off the event loop."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import SimpleQueue
from time import monotonic
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections

from triples.store.backend import backend
from triples.store.group_commit import open_session
from triples.store.inferred.read_snapshots import Read, ReadSnapshots, Result
from triples.store.operations import ReadTimeout
from triples.store.read_jobs import Job, ResultQueue
from triples.store.sessions import Rows, Session

# The time between two checks for reads that exceed the time limit.
WATCH_SECONDS = 0.25


class Reader:
    """Runs reads in at most `threads` threads. Each read may take `time_limit` seconds, including its wait.

    A thread starts when a read would wait for those that run already. `alias` is Django's name of the database. With
    `tries_again`, a read that fails since its connection was closed meanwhile is sent again on another.
    """

    def __init__(
        self,
        name: str,
        threads: int,
        time_limit: float,
        *,
        alias: str = DEFAULT_DB_ALIAS,
        tries_again: bool = True,
    ) -> None:
        self.time_limit = time_limit
        self._queue: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._jobs: dict[Job[Any], None] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._results = ResultQueue()
        # An entry for each read that no thread is done with, which may be longer than its caller waits.
        self._unfinished: list[None] = []
        source = _Source(alias, time_limit, self._queue, self._unfinished, tries_again)
        self._workers = [_Worker(f"{name}-{number}", source, self._results) for number in range(threads)]
        self._unstarted = self._workers[::-1]

    async def run(self, read: Read[Result]) -> Result:
        """Like `Reads.run`."""
        return await self._run_since(monotonic(), read)

    async def _run_since(self, started: float, read: Read[Result]) -> Result:
        """Run a read that has the rest of its time since `started`."""
        job = Job(read, started)
        self._jobs[job] = None
        if self._watch is None:
            self._watch = job.loop.call_later(WATCH_SECONDS, self._look_over, job.loop)
        self._unfinished.append(None)
        self._queue.put(job)
        if self._unstarted and len(self._unfinished) > len(self._workers) - len(self._unstarted):
            self._start_thread()
        try:
            return await job.future
        except asyncio.CancelledError:
            job.stop()
            raise
        finally:
            del self._jobs[job]
            self._results.is_taken(job)

    @property
    def depth(self) -> int:
        """The number of reads that wait or run."""
        return len(self._jobs)

    @property
    def open_connections(self) -> int:
        return sum(worker.connected for worker in self._workers)

    def close(self) -> None:
        """Answer all queued reads, then end the threads."""
        for _ in self._workers:
            self._queue.put(None)
        for worker in self._workers:
            while worker.thread.is_alive():
                worker.thread.join(WATCH_SECONDS)
                worker.interrupt_again()

    def _start_thread(self) -> None:
        # Another event loop may have started the last one meanwhile.
        with suppress(IndexError):
            self._unstarted.pop().thread.start()

    def _look_over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watch = None
        oldest = monotonic() - self.time_limit
        # An interrupt just before a statement begins is lost, so it is repeated until the job has ended.
        stopping = [worker for worker in self._workers if worker.interrupt_again()]
        for job in list(self._jobs):
            if job.started < oldest and not job.stopped:
                job.stop()
                if not job.future.done():
                    late = OperationalError("no thread or no connection was free for the read")
                    job.future.set_exception(ReadTimeout() if job.begun else late)
        if self._jobs or stopping:
            self._watch = loop.call_later(WATCH_SECONDS, self._look_over, loop)


class _Source(NamedTuple):
    """State that the threads of a pool have in common."""

    alias: str
    time_limit: float
    queue: "SimpleQueue[Job[Any] | None]"
    unfinished: list[None]
    tries_again: bool


class _Worker:
    """One thread of the pool, and the read that it runs."""

    def __init__(self, name: str, source: _Source, results: ResultQueue) -> None:
        self._source = source
        self._results = results
        self._job: Job[Any] | None = None
        # Held to change or to interrupt the job, so that an interrupt cannot hit the next job.
        self._job_lock = threading.Lock()
        self._session: Session | None = None
        self._snapshots: ReadSnapshots | None = None
        self.connected = False
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def interrupt(self, job: Job[Any]) -> None:
        """Interrupt the job's statement, if the thread still runs this job."""
        session = self._session
        if session is None:
            return
        if session.interrupts_at_once:
            self._interrupt(job, session)
        else:
            threading.Thread(target=self._interrupt, args=(job, session), daemon=True).start()

    def interrupt_again(self) -> bool:
        """Interrupt the job if it was stopped but still runs. Returns whether that was so."""
        job = self._job
        if job is None or not job.stopped:
            return False
        self.interrupt(job)
        return True

    def _interrupt(self, job: Job[Any], session: Session) -> None:
        # While the lock is held, the thread cannot begin another job, which the interrupt would hit instead.
        with self._job_lock, suppress(Exception):
            if self._job is job:
                session.interrupt()

    def _run(self) -> None:
        while self._serve(self._source.queue.get()):
            self._source.unfinished.pop()
        self._disconnect()

    def _serve(self, job: Job[Any] | None) -> bool:
        """Run a job, unless it was cancelled. False if there is none: the thread ends.

        A call of its own, so that a thread that waits for the next job keeps nothing of the last one's result.
        """
        if job is None or not job.claim():
            return job is not None
        job.interrupt = self.interrupt
        try:
            result, error = self._answer(job), None
        except Exception as raised:  # whatever a read raises is its caller's to handle
            result, error = None, raised
        self._results.deliver(job, result, error)
        return True

    def _answer(self, job: Job[Result]) -> Result:
        fresh = connections[self._source.alias].connection is None
        try:
            return self._attempt(job)
        except (OperationalError, InterfaceError):
            self._disconnect()
            if fresh or job.stopped or not self._source.tries_again:
                raise
            # The server may have closed an idle connection. A read can be sent twice without harm.
            return self._attempt(job)

    def _attempt(self, job: Job[Result]) -> Result:
        connection = connections[self._source.alias]
        session = open_session(connection)
        self.connected = True
        if self._snapshots is None or self._snapshots.driver is not session.driver:
            self._snapshots = backend().read_snapshots(session.driver, self._source.time_limit)

        def fetch(sql: str, parameters: Sequence[Any]) -> Rows:
            if job.stopped:
                raise ReadTimeout
            return session.rows(sql, parameters)

        job.begun = True
        with self._job_lock:
            self._job, self._session = job, session
        try:
            with connection.wrap_database_errors:
                return job.read(fetch, self._snapshots)
        finally:
            with self._job_lock:
                self._job = None

    def _disconnect(self) -> None:
        with self._job_lock:
            self._session = None
        self._snapshots = None
        connections[self._source.alias].close()
        self.connected = False
