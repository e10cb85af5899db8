"""Reads that wait for a thread or run in one, and the way of their results back to the event loop."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic

from triples.store.inferred.read_snapshots import Read, Result

# Threads read no more while this many results wait for their callers: the loop may take long to answer with large ones.
MOST_RESULTS = 4
# A thread that waits for room looks so often whether its event loop is closed, which makes none any more.
ROOM_SECONDS = 0.25


class Job(Generic[Result]):
    """A read that waits in the pool or runs."""

    __slots__ = ("_claims", "begun", "future", "interrupt", "loop", "read", "started", "stopped")

    def __init__(self, read: Read[Result], started: float) -> None:
        self.read = read
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Result] = self.loop.create_future()
        self.started = started
        # That of the thread that runs it, once one does.
        self.interrupt: Callable[[Job[Any]], None] | None = None
        self.begun = False
        self.stopped = False
        self._claims = [True]

    def claim(self) -> bool:
        """True for the first caller only: the thread that starts the job, or the caller that cancels it before."""
        try:
            return self._claims.pop()
        except IndexError:
            return False

    def stop(self) -> None:
        """Keep the job from starting, or interrupt it in the database."""
        self.stopped = True
        if not self.claim() and self.interrupt is not None:
            self.interrupt(self)


class ResultQueue:
    """Passes results to the event loop. Results that are ready together wake it only once."""

    def __init__(self) -> None:
        self._ready: deque[tuple[Job[Any], Any, Exception | None]] = deque()
        # Jobs whose results their callers have not taken yet. Added to by the loop only, like the removal.
        self._handed_over: set[Job[Any]] = set()
        self._woken = False
        self._room = threading.Event()

    def deliver(self, job: Job[Any], result: Any, error: Exception | None) -> None:
        """Called by the threads; waits while too many results wait for their callers."""
        self._ready.append((job, result, error))
        if not self._woken and not job.loop.is_closed():
            self._woken = True
            job.loop.call_soon_threadsafe(self._hand_over)
        while self._is_full and not job.loop.is_closed():
            self._room.clear()
            # The loop may have made room between the two lines above.
            if self._is_full:
                self._room.wait(ROOM_SECONDS)

    def is_taken(self, job: Job[Any]) -> None:
        """Called by the loop when the job's caller goes on, with its result or without one."""
        self._handed_over.discard(job)
        if not self._is_full:
            self._room.set()

    @property
    def _is_full(self) -> bool:
        return len(self._ready) + len(self._handed_over) > MOST_RESULTS

    def _hand_over(self) -> None:
        # Set first, so that a result that arrives during this loop wakes the event loop again.
        self._woken = False
        while self._ready:
            job, result, error = self._ready.popleft()
            if job.future.done():
                continue
            self._handed_over.add(job)
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)
        if not self._is_full:
            self._room.set()
