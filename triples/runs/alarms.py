"""Alarms: a timer interrupts work that does not check by itself whether it must stop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from triples.runs.stopping import Stop

# An interruption between two statements passes unnoticed by the second one, so it is repeated.
REPEAT_SECONDS = 0.2


@contextmanager
def alarm(stop: Stop, interrupt: Callable[[], None]) -> Iterator[None]:
    """Call `interrupt` from another thread when there is a reason to stop.

    An error that comes of it, or later, becomes that reason.
    """
    over = Event()

    def watch() -> None:
        while not over.wait(REPEAT_SECONDS):
            if stop.reason is not None:
                interrupt()

    watcher = Thread(target=watch, name="alarm", daemon=True)
    watcher.start()
    try:
        yield
    except Exception:
        if (reason := stop.reason) is not None:
            raise reason from None
        raise
    finally:
        over.set()
        watcher.join()
