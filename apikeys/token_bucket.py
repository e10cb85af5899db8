"""Token bucket as pure arithmetic, without a clock or storage.

The state of a bucket is one number: the time at which it is full again. Each request moves that time by the interval in
which one token returns, and is refused if the time would lie further ahead than that of an empty bucket (the generic
cell rate algorithm). All times are whole nanoseconds of a clock that all processes of the host share.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from skg_site.api.rates import Rate

SECOND = 1_000_000_000
MICROSECOND = 1000
# An upper bound of the difference between the clocks of two processors.
CLOCK_SLACK = SECOND


class Take(NamedTuple):
    """The result of taking tokens."""

    allowed: bool
    full_at: int
    remaining: int
    # The time until there is one token more, or until there are enough for what was refused.
    next_token: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """`capacity` tokens, of which one returns every `interval` nanoseconds, and `cost` are taken at once."""

    capacity: int
    interval: int
    cost: int = 1

    @classmethod
    def for_rate(cls, rate: Rate) -> "Bucket":
        """A bucket with the rate's requests as its capacity, which fills in the rate's period.

        The interval is rounded up, so that no period gives more than the rate.
        """
        return cls(rate.requests, -(-rate.seconds * SECOND // rate.requests))

    @property
    def in_microseconds(self) -> "Bucket":
        """The bucket with its interval rounded up to microseconds, which Lua counts exactly."""
        return replace(self, interval=-(-self.interval // MICROSECOND) * MICROSECOND)

    def costing(self, tokens: int) -> "Bucket":
        """The same bucket for a request that takes this many tokens at once, or all if the bucket holds fewer."""
        return replace(self, cost=min(tokens, self.capacity))

    def take(self, full_at: int, now: int) -> Take:
        """Take as many tokens as it costs, if they are there, from a bucket that is full again at `full_at`."""
        period = self.capacity * self.interval
        if full_at < now or full_at > now + period + CLOCK_SLACK:
            # Full already, or written before the host's clock restarted.
            full_at = now
        moved = full_at + self.interval * self.cost
        if moved > now + period:
            return Take(False, full_at, 0, moved - now - period)
        missing = moved - now
        taken = -(-missing // self.interval)
        return Take(True, moved, self.capacity - taken, missing - (taken - 1) * self.interval)
