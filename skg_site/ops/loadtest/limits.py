"""Whether a key's rate limit leaves room for a load: what is refused is not measured."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from skg_site.ops.loadtest.driver import Plan
from skg_site.ops.loadtest.mixes import Mix

_POLICY = re.compile(r'"[^"]*";q=(\d{1,9});w=(\d{1,9})')


class Limit(NamedTuple):
    """So many requests to each endpoint in so many seconds, all of them at once if need be."""

    requests: int
    seconds: int

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Limit | None":
        """The limit that an answer names; None for a key that has none."""
        match = _POLICY.fullmatch(headers.get("RateLimit-Policy", ""))
        return cls(int(match[1]), max(int(match[2]), 1)) if match else None

    def __str__(self) -> str:
        return f"{self.requests:,} requests in {self.seconds:,} seconds to each endpoint"

    def room(self, seconds: float) -> float:
        """How many requests to one endpoint are let in within this time, if none was sent before."""
        return self.requests * (1 + seconds / self.seconds)

    def seconds_for(self, requests: int) -> float:
        """How long it takes at least until so many requests to one endpoint have been let in."""
        return max(requests / self.requests - 1, 0) * self.seconds


def refusal(limit: Limit, plan: Plan, mix: Mix) -> str | None:
    """Why the load does not fit into the limit, and what to do, in sentences; None where it fits."""
    share = max(mix.values()) / sum(mix.values())
    most = limit.room(plan.seconds) / (plan.seconds * share)
    if plan.rate is None:
        wanted = "this load sends as fast as it is answered"
    elif plan.rate > most:
        wanted = f"this load sends {plan.rate:g} requests a second"
    else:
        return None
    return (
        f"The key may send {limit}, and {wanted}: what is over the limit would be refused. Use a key without a limit "
        f"(manage.py apikey create load_test --rate 0), or send less (--rate {_shortened(most)}), or measure with the "
        "refusals (--ignore-limit)."
    )


def _shortened(number: float) -> str:
    """Rounded down to three digits or so."""
    return f"{int(number):d}" if number >= 10 else f"{int(number * 100) / 100:g}"
