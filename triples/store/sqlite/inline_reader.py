"""Short reads of SQLite on the event loop itself.

Most reads take less time than it takes to wake a thread and to pass its result back. So each read is first tried here,
for up to 5 ms. A read that takes longer is interrupted and goes to the pool.
"""

import sqlite3
import threading
from collections.abc import Sequence
from math import inf
from time import monotonic
from typing import Any

from triples.store.inferred.read_snapshots import Read, Result
from triples.store.reader import Reader
from triples.store.sessions import Rows
from triples.store.sqlite.connections import connect_for_reading
from triples.store.sqlite.read_snapshots import SQLiteReadSnapshots

# A read may block the event loop for this time.
LIMIT_SECONDS = 0.005
# After an interrupted read, all reads go to the pool for this time, which doubles if the next read is interrupted, too.
# So long reads take at most a tenth of the event loop's time, even if there are no others.
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 1.0
# The number of SQLite's instructions between two checks of the clock, about 50 microseconds.
STEPS = 1000


class InlineReader(Reader):
    """A reader that tries each read on the event loop's own connection, and then in its pool of threads.

    If anything fails on the loop, for example because the database is locked, the pool tries again and reports errors.
    """

    def __init__(self, name: str, threads: int, time_limit: float) -> None:
        super().__init__(name, threads, time_limit)
        self._here: _Here | None = None
        # If a process has two event loops, one of them uses the pool.
        self._lock = threading.Lock()
        self._pause = PAUSE_SECONDS
        self._resume_at = -inf

    async def run(self, read: Read[Result]) -> Result:
        if monotonic() >= self._resume_at and self._lock.acquire(blocking=False):
            try:
                result = self._try(read)
            except sqlite3.Error as error:
                self._give_up(error)
            else:
                self._pause = PAUSE_SECONDS
                return result
            finally:
                self._lock.release()
        return await super().run(read)

    @property
    def open_connections(self) -> int:
        return super().open_connections + (self._here is not None)

    def close(self) -> None:
        super().close()
        with self._lock:
            self._disconnect()

    def _try(self, read: Read[Result]) -> Result:
        here = self._here
        if here is None:
            here = self._here = _Here()
        here.deadline = monotonic() + LIMIT_SECONDS
        return read(here.fetch, here.snapshots)

    def _give_up(self, error: sqlite3.Error) -> None:
        self._resume_at = monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        if self._here is None:
            return
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            self._here.go_back()
        else:
            self._disconnect()

    def _disconnect(self) -> None:
        if self._here is not None:
            self._here.driver.close()
            self._here = None


class _Here:
    """A connection that interrupts its statements at `deadline`."""

    def __init__(self) -> None:
        self.deadline = inf
        self.driver = connect_for_reading(patience=0)
        self.driver.set_progress_handler(self._is_late, STEPS)
        self.snapshots = SQLiteReadSnapshots(self.driver)

    def fetch(self, sql: str, parameters: Sequence[Any]) -> Rows:
        return self.driver.execute(sql, parameters).fetchall()

    def go_back(self) -> None:
        """End the transaction of an interrupted read, if it is still open."""
        self.deadline = inf
        if self.driver.in_transaction:
            self.driver.rollback()

    def _is_late(self) -> bool:
        return monotonic() > self.deadline
