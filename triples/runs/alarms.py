"""Alarms: a timer interrupts work that does not check the time itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

from triples.runs.outcomes import TimedOut

# An interruption between two statements passes unnoticed by the second one, so it is repeated.
REPEAT_SECONDS = 0.2


@contextmanager
def alarm(deadline: float, interrupt: Callable[[], None]) -> Iterator[None]:
    """Call `interrupt` from another thread at the deadline (of `time.monotonic`).

    An error that comes of it, or later, becomes TimedOut.
    """
    over = Event()

    def watch() -> None:
        seconds = max(0.0, deadline - monotonic())
        while not over.wait(seconds):
            interrupt()
            seconds = REPEAT_SECONDS

    watcher = Thread(target=watch, name="alarm", daemon=True)
    watcher.start()
    try:
        yield
    except Exception:
        if monotonic() > deadline:
            raise TimedOut from None
        raise
    finally:
        over.set()
        watcher.join()
