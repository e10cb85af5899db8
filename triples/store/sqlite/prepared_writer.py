"""A writer that runs the statements of small groups on the event loop, and only the commit in the thread.

The commit waits for the disk. A thread that runs statements next to a busy event loop takes and releases Python's
global lock dozens of times for each group, which takes longer than the statements.
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

from triples.store.group_commit import Result
from triples.store.operations import AddMany, AddOne, Change, Operation, Outcome, Remove, RemoveMany
from triples.store.sqlite.engine.base import DatabaseWrapper
from triples.store.sqlite.file_guard import require_fit
from triples.store.sqlite.inferred_files import current_name
from triples.store.sqlite.session import SQLiteSession
from triples.store.sqlite.write_lock import take_free_lock
from triples.store.transaction import Terms, Transaction
from triples.store.writer import Answer, Job, Task, Writer, deliver, tell

# At most this many facts are written on the event loop at a time, which takes a few milliseconds.
MOST_FACTS = 64
# Larger batches are left to the thread.
SMALL_BATCH = 8
# What a writer looks up and checks by itself, for a whole transaction at once: see `Terms.check` and `SQLiteSession`.
# Foreign keys look up three terms of each fact. A check that calls a function, as those of texts do, makes SQLite
# prepare to undo each statement, for which it copies each page that it changes. Together, that is a sixth of a batch.
UNCHECKED = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;"
# A small group changes less than this. A larger cache would only grow for hours; reads use the kernel's cache.
CACHE_KIB, PAGE_KIB = 8 * 1024, 4


class PreparingWriter(Writer):
    """A writer for SQLite with a write-ahead log, for one event loop at a time.

    While a group is committed, the next one gathers. If anything fails on the loop, for example because the lock is
    held, the thread tries the group again and reports errors.
    """

    def __init__(self, patience: float) -> None:
        super().__init__(patience)
        self._loop: asyncio.AbstractEventLoop | None = None
        # True from the scheduling of a group until it is answered. Only the loop reads it.
        self._busy = False
        self._driver: sqlite3.Connection | None = None
        # The loop takes it before it prepares a group; the thread releases it after the commit.
        self._preparing = threading.Lock()
        # No group is prepared after the thread was told to end.
        self._ending = threading.Lock()
        self._ended = False
        # True once the database's files were removed or replaced. Then only the thread writes, if they are back.
        self._is_lost = False
        # The thread's connection to SQLite, once it is without checks.
        self._unchecked: sqlite3.Connection | None = None

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
            self._queues[0].put(self._commit_for_others)

    def _begin_soon(self) -> None:
        if not self._busy:
            self._busy = True
            # At the end of this iteration of the loop, so that operations of the same iteration are in the group.
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        with self._ending:
            if not self._ended:
                self._queues[0].put(partial(self._do, self._first_half()))

    def _commit_for_others(self) -> None:
        """In the thread: commit the jobs of another event loop."""
        if self._preparing.acquire(blocking=False):
            try:
                self._commit_arrived()
            finally:
                self._preparing.release()
        else:
            # A prepared group holds the write lock, so it is committed first.
            self._queues[0].put(self._commit_for_others)

    def _do(self, task: Task) -> None:
        """In the thread: do the task, then let the loop go on."""
        task()
        assert self._loop is not None
        with suppress(RuntimeError):
            # The loop may be closed by now. Then nobody waits for the answer.
            self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        if self._arrived:
            asyncio.get_running_loop().call_soon(self._begin)
        else:
            self._busy = False

    def _first_half(self) -> Task:
        """Prepare a group on the loop if possible. Returns the task that is left for the thread."""
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
        except Exception:  # the thread tries again, and gives each operation its own error
            self._undo()
            os.close(lock)
            self._preparing.release()
            return partial(self._commit, jobs)
        return partial(self._second_half, jobs, outcomes, terms, lock, began)

    def _can_prepare(self) -> bool:
        try:
            can_hide = current_name() is not None
        except OSError:
            # The thread meets the same error, and reports it.
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
        """In the thread: commit the prepared group, and answer it."""
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
            # It was committed into files that are no longer the database's. The next group is told before it begins.
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

    def _commit_group(self, operations: Sequence[Operation]) -> Sequence[Result]:
        connection.ensure_connection()
        if connection.connection is not self._unchecked:
            connection.connection.executescript(UNCHECKED)
            self._unchecked = connection.connection
        return super()._commit_group(operations)

    def _undo(self) -> None:
        self._cache.clear()
        if self._driver is not None:
            with suppress(sqlite3.Error):
                self._driver.execute("ROLLBACK")


def _is_small(job: Job, can_hide: bool) -> bool:
    """True if the job can be prepared on the loop. `can_hide` tells whether there are inferred facts."""
    operation = job.operation
    if isinstance(operation, RemoveMany):
        return False
    if isinstance(operation, AddMany) and not (operation.skip_duplicates and job.facts <= SMALL_BATCH):
        return False
    # The search for inferred facts that rest on a removed fact takes longer.
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
    """A connection like Django's, but one that does not wait for locks, and that two threads use alternately."""
    database = settings.DATABASES["default"]
    require_fit(str(database["NAME"]))
    driver = sqlite3.connect(database["NAME"], timeout=0, isolation_level=None, check_same_thread=False)
    driver.executescript(database["OPTIONS"]["init_command"] + UNCHECKED)
    driver.execute(f"PRAGMA cache_size = {enough_cache(settings.ENV.cache_size)}")
    return driver


def enough_cache(size: int) -> int:
    """The page cache that a small group needs, in SQLite's units: a positive number is pages, a negative one KiB."""
    return max(size, -CACHE_KIB) if size < 0 else min(size, CACHE_KIB // PAGE_KIB)
