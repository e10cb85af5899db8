"""The watch over the replicas, in the background of a worker: which can be reached, and how far each has come.

Each server has a thread of its own for it. A server that stands still, and closes no connection, then holds up nobody.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread
from time import monotonic
from typing import Any

import psycopg

from triples.store.postgresql.connections import connect
from triples.store.postgresql.primary_log import PrimaryLog
from triples.store.postgresql.replica_answers import (
    LOOK_AT_PRIMARY,
    LOOK_AT_REPLICA,
    Answer,
    Identity,
    ask,
    late,
    silent,
    unfit,
    unreachable,
)
from triples.store.postgresql.replicas import Replica, Replicas

CHECK_SECONDS = 1.0
CONNECT_SECONDS = 2
# A replica that has not answered for so long is lost.
ANSWER_SECONDS = 3.0

# What a server said, or the error.
Report = Callable[[Answer | Exception], None]


class _Watcher:
    """Asks one server the same again and again, and reports each answer to the event loop."""

    def __init__(self, alias: str, statement: str, report: Report) -> None:
        self._alias = alias
        self._statement = statement
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._driver: psycopg.Connection[Any] | None = None
        self._due = Event()
        self._ended = False
        Thread(target=self._run, name=f"watch-{alias}", daemon=True).start()

    def look_now(self) -> None:
        self._due.set()

    def end(self) -> None:
        self._ended = True
        self._due.set()

    def _run(self) -> None:
        while not self._ended:
            self._due.clear()
            answer = self._ask()
            # The loop is closed when the worker has ended.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._report, answer)
            self._due.wait(CHECK_SECONDS)
        self._disconnect()

    def _ask(self) -> Answer | Exception:
        try:
            if self._driver is None:
                self._driver = connect(alias=self._alias, connect_timeout=CONNECT_SECONDS, prepare_threshold=None)
            return ask(self._driver, self._statement)
        except Exception as error:  # whatever is wrong with the server is what is reported
            self._disconnect()
            return error

    def _disconnect(self) -> None:
        if self._driver is not None:
            self._driver.close()
            self._driver = None


class _Watch:
    """The event loop's side: what the answers mean."""

    def __init__(self, replicas: Replicas, most_lag: float) -> None:
        self._replicas = replicas
        self._most_lag = most_lag
        self._log = PrimaryLog()
        self._identity: Identity | None = None
        self._answered: dict[Replica, float] = {}

    def primary_answered(self, answer: Answer | Exception) -> None:
        # Without the primary, replicas go on with what they have.
        if not isinstance(answer, Exception) and answer.position is not None:
            self._identity = answer.identity
            self._log.note(answer.position, monotonic())

    def replica_answered(self, replica: Replica, answer: Answer | Exception) -> None:
        now = self._answered[replica] = monotonic()
        fault = unreachable(answer) if isinstance(answer, Exception) else unfit(answer, self._identity)
        if fault or isinstance(answer, Exception) or answer.position is None:
            replica.leave(fault, lost=True)
            return
        replica.lag = self._log.lag(answer.position, now)
        if fault := late(replica.lag, self._most_lag):
            replica.leave(fault, lost=False)
        else:
            replica.enter(answer.position)
            self._replicas.reached(replica, answer.position)

    def lose_the_silent(self) -> None:
        oldest = monotonic() - ANSWER_SECONDS
        for replica in self._replicas.members:
            if self._answered.setdefault(replica, monotonic()) < oldest:
                replica.leave(silent(ANSWER_SECONDS), lost=True)


async def watch(replicas: Replicas, most_lag: float) -> None:
    """Keep the state of the replicas up to date, for as long as this is awaited."""
    state = _Watch(replicas, most_lag)
    watchers = [_Watcher("default", LOOK_AT_PRIMARY, state.primary_answered), *_watchers_of(replicas.members, state)]
    try:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            state.lose_the_silent()
    finally:
        for watcher in watchers:
            watcher.end()


def _watchers_of(members: Sequence[Replica], state: _Watch) -> list[_Watcher]:
    watchers: list[_Watcher] = []
    for replica in members:

        def report(answer: Answer | Exception, replica: Replica = replica) -> None:
            state.replica_answered(replica, answer)

        watcher = _Watcher(replica.alias, LOOK_AT_REPLICA, report)
        replica.look_now = watcher.look_now
        watchers.append(watcher)
    return watchers
