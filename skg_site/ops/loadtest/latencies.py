"""A histogram of durations, in memory that does not grow with their number.

The package hdrhistogram does the same, but its maximum and mean are approximate, it has no types, and it needs
setuptools and pbr wherever the service runs.
"""

from collections.abc import Iterator

# The bits of a value that are kept: a percentile is at most 1/128 too high.
_BITS = 8
_HALF = 1 << (_BITS - 1)
# Values up to 2^36 microseconds, which is 19 hours.
_OCTAVES = 36 - _BITS
_LONGEST = (1 << 36) - 1


class Latencies:
    """Counts of whole microseconds in buckets whose width grows with the value, as in an HDR histogram.

    http://hdrhistogram.org
    """

    __slots__ = ("_counts", "count", "longest", "total")

    def __init__(self) -> None:
        self._counts = [0] * (_HALF * (_OCTAVES + 2))
        self.count = 0
        self.total = 0
        self.longest = 0

    def record(self, seconds: float) -> None:
        microseconds = min(max(round(seconds * 1_000_000), 0), _LONGEST)
        shift = max(microseconds.bit_length() - _BITS, 0)
        self._counts[shift * _HALF + (microseconds >> shift)] += 1
        self.count += 1
        self.total += microseconds
        self.longest = max(self.longest, microseconds)

    def add(self, other: "Latencies") -> None:
        self._counts = [mine + theirs for mine, theirs in zip(self._counts, other._counts, strict=True)]
        self.count += other.count
        self.total += other.total
        self.longest = max(self.longest, other.longest)

    def percentile(self, share: float) -> int:
        """The microseconds within which this share (0 to 1) of all durations lies; 0 if there are none."""
        wanted = share * self.count
        seen = 0
        for microseconds, count in self:
            seen += count
            if seen >= wanted:
                return microseconds
        return 0

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The buckets that hold anything: the upper bound in microseconds, and the number of values."""
        for place, count in enumerate(self._counts):
            if count:
                yield min(_most(place), self.longest), count


def _most(place: int) -> int:
    shift = max(place // _HALF - 1, 0)
    return ((place - shift * _HALF + 1) << shift) - 1
