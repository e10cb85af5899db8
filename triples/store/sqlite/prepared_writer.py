"""Small groups of writes, prepared on the event loop: only the commit, which waits for the disk, is left to the thread.

A thread that runs statements beside a busy event loop gets and gives away Python's lock dozens of times for each
group, which takes longer than the statements do.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import cast

from django.conf import settings
from django.db import OperationalError, connection

from triples.store.operations import AddMany, AddOne, Change, Operation, Outcome, Remove, RemoveMany
from triples.store.sqlite.engine.base import DatabaseWrapper
from triples.store.sqlite.file_guard import require_fit
from triples.store.sqlite.inferred_files import current_name
from triples.store.sqlite.session import SQLiteSession
from triples.store.sqlite.write_lock import take_free_lock
from triples.store.terms import Terms
from triples.store.transaction import Transaction
from triples.store.writer import Answer, Errand, Job, Writer, deliver, tell

# For so many facts, some milliseconds at most, the event loop may stand still.
MOST_FACTS = 64
# Larger batches are left to the thread, which does most of their work beside the event loop.
SMALL_BATCH = 8
# More than a small group ever changes. A larger cache would only grow for hours: all else is read from the kernel's.
CACHE_KIB, PAGE_KIB = 8 * 1024, 4


class PreparingWriter(Writer):
    """A writer for SQLite with a write-ahead log, for one event loop at a time.

    While a group is committed the next one gathers. Whatever goes wrong on the loop, such as a lock that somebody
    holds, the thread tries again and reports.
    """

    def __init__(self, patience: float) -> None:
        super().__init__(patience)
        self._loop: asyncio.AbstractEventLoop | None = None
        # From when a group is going to be begun until it is answered; only the loop looks at it.
        self._busy = False
        self._driver: sqlite3.Connection | None = None
        # Held by the loop from when it begins to prepare a group until the thread has committed it.
        self._preparing = threading.Lock()
        # Nothing is prepared any more once the thread has been told to end.
        self._ending = threading.Lock()
        self._ended = False
        # Files that were removed or replaced are not written again here; the thread looks whether they are back.
        self._is_lost = False

    @property
    def open_connections(self) -> int:
        return super().open_connections + (self._driver is not None)

    def close(self) -> None:
        with self._ending:
            self._ended = True
            super().close()
        if self._driver is not None:
            self._driver.close()

    def _announce(self, job: Job) -> None:
        if self._loop is None or self._loop.is_closed():
            self._loop = job.loop
            self._busy = False
        if job.loop is self._loop:
            self._begin_soon()
        else:
            self._queue.put(self._commit_for_others)

    def _begin_soon(self) -> None:
        if not self._busy:
            self._busy = True
            # At the end of this turn of the loop, in which others may arrive.
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        with self._ending:
            if not self._ended:
                self._queue.put(partial(self._do, self._first_half()))

    def _commit_for_others(self) -> None:
        """In the thread, for jobs of another event loop."""
        if self._preparing.acquire(blocking=False):
            try:
                self._commit_arrived()
            finally:
                self._preparing.release()
        else:
            # The group that was prepared comes first: it holds the write lock.
            self._queue.put(self._commit_for_others)

    def _do(self, errand: Errand) -> None:
        """In the thread."""
        errand()
        assert self._loop is not None
        with suppress(RuntimeError):
            # The loop may have been closed by now, when nobody waits for anything.
            self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        if self._arrived:
            asyncio.get_running_loop().call_soon(self._begin)
        else:
            self._busy = False

    def _first_half(self) -> Errand:
        """Do on the loop what can be done there; what is left for the thread."""
        if self._is_lost or not self._can_prepare():
            return self._commit_arrived
        began = monotonic()
        lock = take_free_lock()
        if lock is None:
            self._preparing.release()
            return self._commit_arrived
        jobs = self._group(MOST_FACTS)
        try:
            outcomes, terms = self._prepare(jobs)
        except Exception:  # whatever it is, it comes again in the thread, where each operation gets its own error
            self._undo()
            os.close(lock)
            self._preparing.release()
            return partial(self._commit, jobs)
        return partial(self._second_half, jobs, outcomes, terms, lock, began)

    def _can_prepare(self) -> bool:
        try:
            can_hide = current_name() is not None
        except OSError:
            # The thread meets it again, and tells those who wait.
            return False
        are_small = all(_is_small(job, can_hide) for job in self._arrived.copy())
        return are_small and self._preparing.acquire(blocking=False)

    def _prepare(self, jobs: Sequence[Job]) -> tuple[list[Outcome], Terms]:
        if self._driver is None:
            self._driver = _connect()
        self._driver.execute("BEGIN IMMEDIATE")
        changes = Transaction(SQLiteSession(self._driver), self._cache)
        return changes.apply([job.operation for job in jobs]), changes.terms

    def _second_half(self, jobs: list[Job], outcomes: Sequence[Outcome], terms: Terms, lock: int, began: float) -> None:
        """In the thread."""
        assert self._driver is not None
        committed = False
        answers: Sequence[Answer] = outcomes
        try:
            self._driver.execute("COMMIT")
            committed = True
            cast("DatabaseWrapper", connection).require_in_place()
        except sqlite3.Error:
            self._undo()
        except OperationalError as error:
            # Committed, but into files that are the database's no more. The next group finds that out before it begins.
            self._cache.clear()
            self._is_lost = True
            answers = [error] * len(jobs)
        else:
            terms.remember()
        finally:
            os.close(lock)
        self._preparing.release()
        if committed:
            deliver(jobs, answers)
            tell(jobs, monotonic() - began)
        else:
            self._commit(jobs)

    def _undo(self) -> None:
        self._cache.clear()
        if self._driver is not None:
            with suppress(sqlite3.Error):
                self._driver.execute("ROLLBACK")


def _is_small(job: Job, can_hide: bool) -> bool:
    """`can_hide`: whether there are inferred facts."""
    operation = job.operation
    if isinstance(operation, RemoveMany):
        return False
    if isinstance(operation, AddMany) and not (operation.skip_duplicates and job.facts <= SMALL_BATCH):
        return False
    # To follow what rests on a fact that goes takes longer.
    return not (can_hide and _may_hide(operation))


def _may_hide(operation: Operation) -> bool:
    match operation:
        case AddOne():
            return operation.fact.weight == 0
        case AddMany():
            return any(fact.weight == 0 for fact in operation.facts)
        case Change():
            return operation.weight == 0
        case Remove() | RemoveMany():
            return True


def _connect() -> sqlite3.Connection:
    """As Django's connections are, but one that waits for nobody, and that two threads use in turns."""
    database = settings.DATABASES["default"]
    require_fit(str(database["NAME"]))
    driver = sqlite3.connect(database["NAME"], timeout=0, isolation_level=None, check_same_thread=False)
    driver.executescript(database["OPTIONS"]["init_command"] + "PRAGMA foreign_keys = ON")
    driver.execute(f"PRAGMA cache_size = {enough_cache(settings.ENV.cache_size)}")
    return driver


def enough_cache(size: int) -> int:
    """What a small group needs of a page cache, in SQLite's terms: positive is pages, negative is KiB."""
    return max(size, -CACHE_KIB) if size < 0 else min(size, CACHE_KIB // PAGE_KIB)
