"""Questions that are answered in the caller's thread, for commands and the admin."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from time import monotonic

from triples.query.blocks import OutOfTime
from triples.query.explanations import own_connection
from triples.query.finding_answers import Expired
from triples.query.graph_facts import GraphFacts
from triples.store.inferred.read_snapshots import Result
from triples.store.operations import ReadTimeout
from triples.store.sessions import Session

# How often it is looked whether a statement has to be interrupted.
WATCH_SECONDS = 0.25
# A read whose time is over needs some more to name what it has found.
GRACE_SECONDS = 2.0


def ask_now(read: Callable[[GraphFacts, Expired], Result], expired: Expired, *, inferred: bool) -> Result:
    """The result of a read of the facts of one moment. It must end when `expired` returns True.

    `inferred` tells whether it also reads inferred facts. Raises ReadTimeout if the read has no result soon after.
    """
    with own_connection(always=True) as (session, dialect, shown), _interrupted(session, expired):
        visible = shown.filter if shown is not None and inferred else None
        try:
            return read(GraphFacts(session.rows, dialect, visible), expired)
        except OutOfTime:
            raise ReadTimeout from None


@contextmanager
def _interrupted(session: Session, expired: Expired) -> Iterator[None]:
    """Interrupt statements that go on when the time is over: a single one can take hours."""
    ended, interrupted = Event(), Event()
    watcher = Thread(target=_watch, args=(session, expired, ended, interrupted), daemon=True)
    watcher.start()
    try:
        yield
    except Exception as error:
        # Of the driver, which Django translates further out.
        if interrupted.is_set() and not isinstance(error, ReadTimeout):
            raise ReadTimeout from error
        raise
    finally:
        ended.set()
        watcher.join()


def _watch(session: Session, expired: Expired, ended: Event, interrupted: Event) -> None:
    over: float | None = None
    while not ended.wait(WATCH_SECONDS):
        if over is None:
            over = monotonic() if expired() else None
        elif monotonic() - over > GRACE_SECONDS:
            interrupted.set()
            # One just before a statement begins is lost, so it is repeated.
            with suppress(Exception):
                session.interrupt()
