"""The results of a load, for people and for programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from skg_site.cli.tables import table
from skg_site.ops.loadtest.mixes import Work
from skg_site.ops.loadtest.tally import Tally

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}
ALL = "all"
COLUMNS = ("", "requests", "per second", "p50", "p90", "p99", "p99.9", "max", "failed")
# 1, 2, 5, 10, 20, 50, … microseconds.
BOUNDS = [step * 10**power for power, step in product(range(11), (1, 2, 5))]
BAR_WIDTH = 50


@dataclass(frozen=True, slots=True)
class Summary:
    tallies: Mapping[Work, Tally]
    seconds: float
    # See Driver.unsent.
    unsent: int

    @property
    def all(self) -> Tally:
        together = Tally()
        for tally in self.tallies.values():
            together.add(tally)
        return together

    @property
    def failed_share(self) -> float:
        """The share of all requests that failed; 1 if there were none, since then the load did not work."""
        together = self.all
        return together.failed / together.requests if together.requests else 1.0

    @property
    def content(self) -> dict[str, Any]:
        return {
            "seconds": round(self.seconds, 3),
            **self._tally_content(self.all),
            "failed_share": round(self.failed_share, 6),
            "unsent": self.unsent,
            "work": {work.value: self._tally_content(tally) for work, tally in sorted(self.tallies.items())},
            "histogram": [{"up_to_ms": most / 1000, "count": count} for most, count in _histogram(self.all)],
        }

    @property
    def text(self) -> str:
        parts = [self._table(), _bars(self.all)]
        failures = [
            f"{outcome}: {count:,} of {work}"
            for work, tally in sorted(self.tallies.items())
            for outcome, count in tally.statuses.most_common()
        ]
        parts.append("Answers by status:\n" + "\n".join(f"  {failure}" for failure in failures))
        if self.unsent:
            parts.append(
                f"{self.unsent:,} requests that were due were not sent, since every connection was waiting: the "
                "service is slower than the rate, or --concurrency is too low for it."
            )
        if self.all.statuses["429"]:
            parts.append("429 is a limit of the key: one made with --rate 0 has none.")
        return "\n\n".join(part for part in parts if part)

    def _tally_content(self, tally: Tally) -> dict[str, Any]:
        return {
            "requests": tally.requests,
            "failed": tally.failed,
            "per_second": round(self._per_second(tally), 3),
            "statuses": dict(tally.statuses.most_common()),
            "latency_ms": {
                "mean": round(tally.latencies.mean / 1000, 3),
                **{name: tally.latencies.percentile(share) / 1000 for name, share in PERCENTILES.items()},
                "max": tally.latencies.longest / 1000,
            },
        }

    def _per_second(self, tally: Tally) -> float:
        """Successful requests a second: a quick refusal is no throughput."""
        return tally.latencies.count / self.seconds if self.seconds else 0.0

    def _table(self) -> str:
        rows = [COLUMNS, *(self._row(work.value, tally) for work, tally in sorted(self.tallies.items()))]
        if len(self.tallies) != 1:
            rows.append(self._row(ALL, self.all))
        return table(rows, numbers=True)

    def _row(self, name: str, tally: Tally) -> tuple[str, ...]:
        times = [*(tally.latencies.percentile(share) for share in PERCENTILES.values()), tally.latencies.longest]
        return (
            name,
            f"{tally.requests:,}",
            f"{self._per_second(tally):,.1f}",
            *(_time(microseconds) for microseconds in times),
            f"{tally.failed:,}",
        )


def _histogram(tally: Tally) -> list[tuple[int, int]]:
    """The number of requests up to each bound in microseconds and above the one before, without the empty ends."""
    counts = dict.fromkeys(BOUNDS, 0)
    bounds = iter(BOUNDS)
    bound = next(bounds)
    for microseconds, count in tally.latencies:
        while microseconds > bound:
            bound = next(bounds)
        counts[bound] += count
    filled = [place for place, bound in enumerate(BOUNDS) if counts[bound]]
    if not filled:
        return []
    return [(bound, counts[bound]) for bound in BOUNDS[filled[0] : filled[-1] + 1]]


def _bars(tally: Tally) -> str:
    rows = _histogram(tally)
    most = max((count for _, count in rows), default=1)
    lines = [
        f"{'≤ ' + _time(bound):>9}  {'█' * -(-count * BAR_WIDTH // most):<{BAR_WIDTH}}  {count:,}"
        for bound, count in rows
    ]
    return "\n".join(lines)


def _time(microseconds: int) -> str:
    if microseconds < 1000:
        return f"{microseconds} µs"
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.3g} ms"
    return f"{microseconds / 1_000_000:,.4g} s"
