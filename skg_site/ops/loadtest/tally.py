"""The results of the requests of one kind, or of all."""

from collections import Counter
from dataclasses import dataclass, field

from skg_site.ops.loadtest.latencies import Latencies


@dataclass(slots=True)
class Tally:
    """`statuses` counts answers by status, and failures without an answer by name; `latencies` is of successes."""

    latencies: Latencies = field(default_factory=Latencies)
    statuses: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: str, seconds: float, *, succeeded: bool) -> None:
        self.statuses[outcome] += 1
        if succeeded:
            self.latencies.record(seconds)

    def add(self, other: "Tally") -> None:
        self.latencies.add(other.latencies)
        self.statuses += other.statuses

    @property
    def requests(self) -> int:
        return self.statuses.total()

    @property
    def failed(self) -> int:
        return self.requests - self.latencies.count
