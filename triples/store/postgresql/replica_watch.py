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
from triples.store.postgresql.positions import position
from triples.store.postgresql.primary_log import PrimaryLog
from triples.store.postgresql.replicas import Replica, Replicas, in_one_line

CHECK_SECONDS = 1.0
CONNECT_SECONDS = 2
# A replica that has not answered for so long is lost.
ANSWER_SECONDS = 3.0

# The same for a database and its copies: they have one origin, and one number for this database.
_IDENTITY = (
    "(SELECT system_identifier FROM pg_control_system()),"
    " (SELECT oid::bigint FROM pg_database WHERE datname = current_database())"
)
# What is flushed, since nothing else reaches a replica.
LOOK_AT_PRIMARY = f"SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() END, {_IDENTITY}"
LOOK_AT_REPLICA = f"SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() END, {_IDENTITY}"

# An LSN, None if the server is not what it should be, and the identity; or the error.
Answer = tuple[str | None, int, int] | Exception


class _Watcher:
    """Asks one server the same again and again, and reports each answer to the event loop."""

    def __init__(self, alias: str, statement: str, report: Callable[[Answer], None]) -> None:
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

    def _ask(self) -> Answer:
        try:
            if self._driver is None:
                self._driver = connect(alias=self._alias, connect_timeout=CONNECT_SECONDS, prepare_threshold=None)
            lsn, *identity = self._driver.execute(self._statement).fetchone() or (None, 0, 0)
            return lsn, *identity
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
        self._identity: tuple[int, int] | None = None
        self._answered: dict[Replica, float] = {}

    def primary_answered(self, answer: Answer) -> None:
        # Without the primary, replicas go on with what they have.
        if not isinstance(answer, Exception) and answer[0] is not None:
            self._identity = answer[1:]
            self._log.note(position(answer[0]), monotonic())

    def replica_answered(self, replica: Replica, answer: Answer) -> None:
        now = self._answered[replica] = monotonic()
        if isinstance(answer, Exception):
            replica.leave(f"It cannot be reached: {in_one_line(answer)}", lost=True)
            return
        lsn, *identity = answer
        replayed = position(lsn)
        if lsn is None:
            replica.leave("It is no replica: it takes writes, or has just begun to.", lost=True)
        elif self._identity is not None and self._identity != tuple(identity):
            replica.leave("It is a replica of another database.", lost=True)
        else:
            replica.lag = self._log.lag(replayed, now)
            if replica.lag > self._most_lag:
                replica.leave(f"It lags by more than {self._most_lag:g} seconds.", lost=False)
            else:
                replica.enter(replayed)
                self._replicas.reached(replica, replayed)

    def lose_the_silent(self) -> None:
        oldest = monotonic() - ANSWER_SECONDS
        for replica in self._replicas.members:
            if self._answered.setdefault(replica, monotonic()) < oldest:
                replica.leave(f"It has not answered for {ANSWER_SECONDS:g} seconds.", lost=True)


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

        def report(answer: Answer, replica: Replica = replica) -> None:
            state.replica_answered(replica, answer)

        watcher = _Watcher(replica.alias, LOOK_AT_REPLICA, report)
        replica.look_now = watcher.look_now
        watchers.append(watcher)
    return watchers
