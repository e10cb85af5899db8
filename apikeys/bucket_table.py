"""Buckets that all processes of a host share: a memory-mapped file of fixed size, and no server.

The file is a table of sets. A bucket's 64-bit identity names its set, in which it may stand at any
place; a set holds the identities at all of its places, then the moments at which these buckets are full again.
A place whose bucket is full is free: forgetting a full bucket loses nothing.

A disk that has no room for the file costs its being shared, and nothing else: the process counts in memory of its own.

A process changes a set while it holds the kernel's lock on the set's bytes, for microseconds; the
kernel releases it when a process is killed. Each number is stored by one aligned 8-byte write, so that
a process that dies between two of them leaves a bucket that is right or full, never a torn one.
"""

import fcntl
import mmap
import os
import threading
from pathlib import Path
from time import monotonic_ns

import structlog

from apikeys.token_bucket import CLOCK_SLACK, SECOND, Bucket, Take

log = structlog.get_logger("skg.limits")

SETS = 4096
PLACES = 16
WORD = 8
SET_BYTES = 2 * PLACES * WORD
TABLE_BYTES = SETS * SET_BYTES

# No bucket takes longer to fill than the longest period of a rate, an hour (and rounding).
LONGEST = 3601 * SECOND + CLOCK_SLACK


class BucketTable:
    """The shared table, as one process has it open."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = _open_file(path)
            memory = mmap.mmap(self._file, TABLE_BYTES)
        except OSError as error:
            log.warning("limit_table_not_shared", error=str(error), advice="this worker counts alone until it ends")
            # Something to lock all the same.
            self._file = os.memfd_create(path.name)
            memory = mmap.mmap(-1, TABLE_BYTES)
        self._words = memoryview(memory).cast("Q")
        # The kernel's locks belong to the process, so they do not keep its own threads apart.
        self._mutex = threading.Lock()
        self._was_full = False

    def take(self, identity: int, bucket: Bucket) -> Take:
        """Take a token from the bucket of this identity, a number below 2**64 that is not 0."""
        start = identity % SETS * SET_BYTES
        with self._mutex:
            fcntl.lockf(self._file, fcntl.LOCK_EX, SET_BYTES, start)
            try:
                # Read under the lock, so that no later request was decided at an earlier time.
                now = monotonic_ns()
                place = self._place_of(identity, start // WORD, now)
                taken = bucket.take(self._words[place + PLACES], now)
                if taken.allowed:
                    self._words[place + PLACES] = taken.full_at
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, SET_BYTES, start)
        return taken

    def ahead(self, identity: int) -> int:
        """How many nanoseconds from now the bucket is full again; 0 where the table knows nothing of it."""
        first = identity % SETS * SET_BYTES // WORD
        try:
            place = first + self._words[first : first + PLACES].tolist().index(identity)
        except ValueError:
            return 0
        full_at = self._words[place + PLACES]
        # Without the lock: the place may have been given to another bucket meanwhile.
        if self._words[place] != identity:
            return 0
        left = full_at - monotonic_ns()
        return left if 0 < left <= LONGEST else 0

    def move_forward(self, identity: int, full_at: int) -> None:
        """Note that the bucket is full again at `full_at`, by the monotonic clock, if not even later."""
        start = identity % SETS * SET_BYTES
        with self._mutex:
            fcntl.lockf(self._file, fcntl.LOCK_EX, SET_BYTES, start)
            try:
                now = monotonic_ns()
                place = self._place_of(identity, start // WORD, now)
                if now < full_at <= now + LONGEST and not full_at <= self._words[place + PLACES] <= now + LONGEST:
                    self._words[place + PLACES] = full_at
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, SET_BYTES, start)

    def clear(self) -> None:
        """Fill every bucket."""
        with self._mutex:
            self._words[:] = memoryview(bytes(TABLE_BYTES)).cast("Q")

    def _place_of(self, identity: int, first: int, now: int) -> int:
        """Where the identity stands in the set that begins at `first`, which gives it a place if it has none."""
        try:
            return first + self._words[first : first + PLACES].tolist().index(identity)
        except ValueError:
            place = first + self._free_place(first, now)
        self._words[place + PLACES] = 0
        self._words[place] = identity
        return place

    def _free_place(self, first: int, now: int) -> int:
        full_at = self._words[first + PLACES : first + 2 * PLACES].tolist()
        for place, moment in enumerate(full_at):
            # What lies too far ahead was written before the host's clock started again.
            if moment <= now or moment > now + LONGEST:
                return place
        if not self._was_full:
            self._was_full = True
            log.warning("limit_table_full", advice="a bucket was counted as full before it was")
        return full_at.index(min(full_at))


def _open_file(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_size < TABLE_BYTES:
            _fill_up(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _fill_up(descriptor: int) -> None:
    """Write the file out in full: a hole that a full disk cannot fill would kill the process when it is used."""
    # A byte that belongs to no set: whoever opens the table at the same time waits for this, and nobody else.
    fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, TABLE_BYTES)
    try:
        # A disk that becomes full in the midst of it takes a part, and refuses the next.
        while (size := os.fstat(descriptor).st_size) < TABLE_BYTES:
            os.pwrite(descriptor, bytes(TABLE_BYTES - size), size)
    finally:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, TABLE_BYTES)
