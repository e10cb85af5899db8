"""A token bucket as pure arithmetic; it knows neither clock nor storage.

The whole state of a bucket is one number: when it will be full again. Each request moves that moment by
the time in which one token comes back, and is refused if it would move further ahead than an empty
bucket's. (The telephone networks call this the generic cell rate algorithm.) All times are whole
nanoseconds of a clock that every process of the host shares.
"""

from dataclasses import dataclass
from typing import NamedTuple

from skg_site.api.rates import Rate

SECOND = 1_000_000_000
MICROSECOND = 1000
# How far clocks read on two processors may be apart, generously.
CLOCK_SLACK = SECOND


class Take(NamedTuple):
    """What came of asking for a token."""

    allowed: bool
    full_at: int
    remaining: int
    # How long until there is one token more.
    next_token: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """`capacity` tokens, of which one comes back every `interval` nanoseconds."""

    capacity: int
    interval: int

    @classmethod
    def for_rate(cls, rate: Rate) -> "Bucket":
        """A bucket that holds what the rate allows in its period and fills in that time.

        The interval is rounded up, so that no period ever gives more than the rate.
        """
        return cls(rate.requests, -(-rate.seconds * SECOND // rate.requests))

    @property
    def in_microseconds(self) -> "Bucket":
        """The bucket with its interval rounded up to what Lua counts exactly; no period gives more than the rate."""
        return Bucket(self.capacity, -(-self.interval // MICROSECOND) * MICROSECOND)

    def take(self, full_at: int, now: int) -> Take:
        """Take one token if there is one, from a bucket that is full again at `full_at`."""
        period = self.capacity * self.interval
        if full_at < now or full_at > now + period + CLOCK_SLACK:
            # Full for some time already; or the clock started again with the host since this was written.
            full_at = now
        moved = full_at + self.interval
        if moved > now + period:
            return Take(False, full_at, 0, moved - now - period)
        missing = moved - now
        taken = -(-missing // self.interval)
        return Take(True, moved, self.capacity - taken, missing - (taken - 1) * self.interval)
