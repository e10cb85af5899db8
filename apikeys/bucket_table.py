"""Token buckets shared by all processes of a host, in a memory-mapped file of fixed size.

The file is a set-associative table. The 64-bit identity of a bucket determines its set, in which it can have any slot.
A set holds the identities of all its slots, then the times at which these buckets are full again. A slot with a full
bucket is free: a full bucket needs no memory.

Without space on the disk for the file, the process counts alone in memory of its own.

A process changes a set under the kernel's lock on the bytes of the set, for microseconds; the kernel releases the lock
of a killed process. Each number is one aligned 8-byte write, so a process that dies between two of them leaves a bucket
that is right or full.
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

# The longest time in which a bucket fills: the longest period of a rate, an hour, and rounding.
LONGEST = 3601 * SECOND + CLOCK_SLACK


class BucketTable:
    """The shared table, open in this process."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = _open_file(path)
            memory = mmap.mmap(self._file, TABLE_BYTES)
        except OSError as error:
            log.warning("limit_table_not_shared", error=str(error), advice="this worker counts alone until it ends")
            # A file to lock, as in the shared case.
            self._file = os.memfd_create(path.name)
            memory = mmap.mmap(-1, TABLE_BYTES)
        self._words = memoryview(memory).cast("Q")
        # The kernel's locks belong to the process and do not exclude its own threads.
        self._mutex = threading.Lock()
        self._was_full = False

    def take(self, identity: int, bucket: Bucket) -> Take:
        """Take what it costs from the bucket of this identity, a number below 2**64 that is not 0."""
        start = identity % SETS * SET_BYTES
        with self._mutex:
            fcntl.lockf(self._file, fcntl.LOCK_EX, SET_BYTES, start)
            try:
                # Read under the lock, so that requests are decided in the order of their times.
                now = monotonic_ns()
                place = self._place_of(identity, start // WORD, now)
                taken = bucket.take(self._words[place + PLACES], now)
                if taken.allowed:
                    self._words[place + PLACES] = taken.full_at
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, SET_BYTES, start)
        return taken

    def ahead(self, identity: int) -> int:
        """Nanoseconds until the bucket is full again; 0 if the table does not have it."""
        first = identity % SETS * SET_BYTES // WORD
        try:
            place = first + self._words[first : first + PLACES].tolist().index(identity)
        except ValueError:
            return 0
        full_at = self._words[place + PLACES]
        # Read without the lock: another bucket may have the slot by now.
        if self._words[place] != identity:
            return 0
        left = full_at - monotonic_ns()
        return left if 0 < left <= LONGEST else 0

    def move_forward(self, identity: int, full_at: int) -> None:
        """Record that the bucket is full again at `full_at` of the monotonic clock, unless it is later already."""
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
        """The slot of the identity in the set that begins at `first`; a new one if it has none."""
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
            # Times too far ahead were written before the host's clock restarted.
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
    """Write the whole file: a page without space on the disk would kill the process that uses it (SIGBUS)."""
    # The byte after the sets: only processes that open the table at the same time wait for it.
    fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, TABLE_BYTES)
    try:
        # A disk that becomes full takes a part and refuses the next.
        while (size := os.fstat(descriptor).st_size) < TABLE_BYTES:
            os.pwrite(descriptor, bytes(TABLE_BYTES - size), size)
    finally:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, TABLE_BYTES)
