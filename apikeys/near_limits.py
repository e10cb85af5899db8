"""Keys near their limits, counted over all workers in a memory-mapped table of times.

The name of a key determines its slot. Two keys in one slot count as one: of a thousand keys near their limits at the
same time, about thirty are not counted.
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
# The time for which a key counts as near its limit.
WINDOW = 60 * SECOND


class NearLimits:
    """The shared table, open in this process. Each time is one aligned write, so it needs no lock."""

    def __init__(self, path: Path) -> None:
        try:
            memory = _map_file(path)
        except OSError as error:
            log.warning("near_limits_not_shared", error=str(error), advice="this worker counts alone until it ends")
            memory = mmap.mmap(-1, PLACES * WORD)
        self._moments = memoryview(memory).cast("Q")

    def note(self, who: str) -> bool:
        """Record that `who` is near a limit now. True if it was not in the last minute."""
        now = monotonic_ns()
        place = crc32(who.encode()) % PLACES
        is_news = not _is_recent(self._moments[place], now)
        self._moments[place] = now
        return is_news

    def count(self) -> int:
        """The number of keys near a limit in the last minute."""
        now = monotonic_ns()
        return sum(_is_recent(moment, now) for moment in self._moments if moment)


def _map_file(path: Path) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # Allocated at once: a write into a hole of the file would fail on a full disk.
        os.posix_fallocate(descriptor, 0, PLACES * WORD)
        return mmap.mmap(descriptor, PLACES * WORD)
    finally:
        os.close(descriptor)


def _is_recent(moment: int, now: int) -> bool:
    # Times ahead were written before the host's clock restarted.
    return now - WINDOW < moment <= now + CLOCK_SLACK
