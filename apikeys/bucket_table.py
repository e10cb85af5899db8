"""Buckets that all processes of a host share: a memory-mapped file of fixed size, and no server.

The file is a table of sets. A bucket's 64-bit identity names its set, in which it may stand at any
place; a set holds the identities at all of its places, then the moments at which these buckets are full again.
A place whose bucket is full is free: forgetting a full bucket loses nothing.

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

from apikeys.buckets import CLOCK_SLACK, SECOND, Bucket, Take

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
        self._file = _open_table(path)
        self._words = memoryview(mmap.mmap(self._file, TABLE_BYTES)).cast("Q")
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


def _open_table(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.fstat(descriptor).st_size < TABLE_BYTES:
        _fill_up(descriptor)
    return descriptor


def _fill_up(descriptor: int) -> None:
    """Write the file out in full: a hole that a full disk cannot fill would kill the process when it is used."""
    # A byte that belongs to no set: whoever opens the table at the same time waits for this, and nobody else.
    fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, TABLE_BYTES)
    try:
        size = os.fstat(descriptor).st_size
        os.pwrite(descriptor, bytes(TABLE_BYTES - size), size)
    finally:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, TABLE_BYTES)
