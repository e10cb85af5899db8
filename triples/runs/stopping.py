"""Reasons why a run ends before its work is done: its time is over, or somebody has cancelled it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from time import monotonic

from django.db import Error as AnyDatabaseError
from django.db import connection

from triples.models import RecursionRun
from triples.runs.outcomes import Cancelled, TimedOut

POLL_SECONDS = 0.5


class Stop:
    """The answer to whether a run must stop. Any thread may ask."""

    def __init__(self, seconds: float, cancelled: Event | None = None) -> None:
        self._deadline = monotonic() + seconds
        self._cancelled = cancelled or Event()

    @property
    def reason(self) -> Exception | None:
        """The error to end the run with, if it must stop."""
        if self._cancelled.is_set():
            return Cancelled()
        return TimedOut() if monotonic() > self._deadline else None

    def check(self) -> None:
        """Raise the reason, if there is one."""
        if (reason := self.reason) is not None:
            raise reason


@contextmanager
def cancellation(run: RecursionRun) -> Iterator[Event]:
    """An event that is set within a second after somebody, in whatever process, has asked to cancel the run."""
    cancelled, over = Event(), Event()
    asked = RecursionRun.objects.filter(id=run.id).exclude(cancel_requested_by="")

    def poll() -> None:
        try:
            while not over.wait(POLL_SECONDS) and not cancelled.is_set():
                # The run itself meets what is wrong with the database, and says so.
                with suppress(AnyDatabaseError):
                    if asked.exists():
                        cancelled.set()
        finally:
            connection.close()

    poller = Thread(target=poll, name="cancellation", daemon=True)
    poller.start()
    try:
        yield cancelled
    finally:
        over.set()
        poller.join()
