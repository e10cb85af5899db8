"""Which keys are near one of their limits, over all workers: a memory-mapped table of moments, and no server.

A key's place follows from its name. Two keys that share a place count as one, which for a thousand keys near their
limits at the same time loses some thirty of them.
"""

import mmap
import os
from pathlib import Path
from time import monotonic_ns
from zlib import crc32

import structlog

from apikeys.token_bucket import CLOCK_SLACK, SECOND

log = structlog.get_logger("skg.limits")

PLACES = 16_384
WORD = 8
# How long a key counts as near its limit after it was.
WINDOW = 60 * SECOND


class NearLimits:
    """The shared table, as one process has it open. Each moment is one aligned write, so it needs no lock."""

    def __init__(self, path: Path) -> None:
        try:
            memory = _map_file(path)
        except OSError as error:
            log.warning("near_limits_not_shared", error=str(error), advice="this worker counts alone until it ends")
            memory = mmap.mmap(-1, PLACES * WORD)
        self._moments = memoryview(memory).cast("Q")

    def note(self, who: str) -> bool:
        """Remember that `who` is near a limit now; whether that is news."""
        now = monotonic_ns()
        place = crc32(who.encode()) % PLACES
        is_news = not _is_recent(self._moments[place], now)
        self._moments[place] = now
        return is_news

    def count(self) -> int:
        """How many were near a limit in the last minute."""
        now = monotonic_ns()
        return sum(_is_recent(moment, now) for moment in self._moments if moment)


def _map_file(path: Path) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # Blocks of the disk rather than a hole, which a full disk could not fill when it is written to.
        os.posix_fallocate(descriptor, 0, PLACES * WORD)
        return mmap.mmap(descriptor, PLACES * WORD)
    finally:
        os.close(descriptor)


def _is_recent(moment: int, now: int) -> bool:
    # What lies ahead was written before the host's clock started again.
    return now - WINDOW < moment <= now + CLOCK_SLACK
