"""The requests to this host's API within the last day, by the minute, for people who have no Prometheus.

The workers count requests for `/metrics` anyway. Once a minute one of them adds these counts up, and writes the sums to
a file with one record for each minute of a day. A record replaces that of the day before, so the file never grows.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import Struct
from time import time
from typing import NamedTuple, Self

from django.conf import settings

from skg_site.observe.metric_files import values_of
from skg_site.observe.metrics import BUCKETS

MINUTES = 1440
# Probes are no requests of anybody, and quicker than those that are.
_PROBES = {"/health", "/ready", "/metrics"}


class Counts(NamedTuple):
    """Numbers of requests: answered well, refused for what was sent, failed; and by the buckets of their duration."""

    good: int
    refused: int
    failed: int
    durations: tuple[int, ...]

    @classmethod
    def none(cls) -> Self:
        return cls(0, 0, 0, (0,) * (len(BUCKETS) + 1))

    @property
    def all(self) -> int:
        return self.good + self.refused + self.failed

    def plus(self, other: "Counts") -> "Counts":
        return self._combined(other, 1)

    def since(self, earlier: "Counts") -> "Counts":
        """The increase since then; the whole value if counting has begun anew."""
        return self if self.all < earlier.all else self._combined(earlier, -1)

    def quantile(self, share: float) -> float | None:
        """Seconds within which this share of the requests was answered, interpolated in its bucket."""
        wanted = share * sum(self.durations)
        if not wanted:
            return None
        below, lower = 0, 0.0
        for upper, number in zip(BUCKETS, self.durations, strict=False):
            if below + number >= wanted:
                return lower + (upper - lower) * (wanted - below) / number
            below, lower = below + number, upper
        return lower

    def _combined(self, other: "Counts", sign: int) -> "Counts":
        durations = [max(0, one + sign * two) for one, two in zip(self.durations, other.durations, strict=True)]
        return Counts(
            max(0, self.good + sign * other.good),
            max(0, self.refused + sign * other.refused),
            max(0, self.failed + sign * other.failed),
            tuple(durations),
        )


# The minute since 1970, and the counts.
_RECORD = Struct(f"<{1 + 3 + len(BUCKETS) + 1}q")


async def sample() -> None:
    """Write the record of this minute, unless another worker has."""
    minute = int(time() // 60)
    if _written_minute(minute % MINUTES) != minute:
        # Adding up takes milliseconds, which the event loop does not have.
        counts = await asyncio.to_thread(_count)
        write(minute, counts)


def write(minute: int, counts: Counts) -> None:
    descriptor = os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        record = _RECORD.pack(minute, *counts[:3], *counts.durations)
        os.pwrite(descriptor, record, (minute % MINUTES) * _RECORD.size)
    finally:
        os.close(descriptor)


def changes(now: float) -> Iterator[tuple[int, Counts]]:
    """The minutes of the last day that have a record, in their order, and what came since the record before."""
    last = int(now // 60)
    records = sorted(record for record in _records() if last - MINUTES < record[0] <= last)
    before: Counts | None = None
    for minute, *numbers in records:
        counts = _counts(numbers)
        if before is not None:
            yield minute, counts.since(before)
        before = counts


def _count() -> Counts:
    good = refused = failed = 0
    for _, labels, value in values_of("counter", "skg_requests"):
        if labels["endpoint"] in _PROBES:
            continue
        status = int(labels["http_status"])
        good += int(value) * (status < 400)
        refused += int(value) * (400 <= status < 500)
        failed += int(value) * (status >= 500)
    durations = dict.fromkeys((*BUCKETS, float("inf")), 0)
    for name, labels, value in values_of("histogram", "skg_request_duration_seconds"):
        if name.endswith("_bucket") and labels["endpoint"] not in _PROBES:
            durations[float(labels["le"])] += int(value)
    return Counts(good, refused, failed, tuple(durations.values()))


def _file() -> Path:
    file: Path = settings.ENV.state_dir / "activity"
    return file


def _written_minute(place: int) -> int | None:
    try:
        with _file().open("rb") as stream:
            record = os.pread(stream.fileno(), _RECORD.size, place * _RECORD.size)
    except FileNotFoundError:
        return None
    return int(_RECORD.unpack(record)[0]) if len(record) == _RECORD.size else None


def _records() -> Iterator[tuple[int, ...]]:
    try:
        content = _file().read_bytes()
    except FileNotFoundError:
        return iter(())
    return _RECORD.iter_unpack(content[: len(content) // _RECORD.size * _RECORD.size])


def _counts(numbers: Sequence[int]) -> Counts:
    good, refused, failed, *durations = numbers
    return Counts(good, refused, failed, tuple(durations))
