"""The rate limit of a key, and whether a load fits into it: refused requests measure nothing."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from skg_site.ops.loadtest.driver import Plan
from skg_site.ops.loadtest.mixes import Mix

_POLICY = re.compile(r'"[^"]*";q=(\d{1,9});w=(\d{1,9})')


class Limit(NamedTuple):
    """A number of requests to each endpoint in a number of seconds; they may come all at once."""

    requests: int
    seconds: int

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Limit | None":
        """The limit in the headers of an answer; None for a key without a limit."""
        match = _POLICY.fullmatch(headers.get("RateLimit-Policy", ""))
        return cls(int(match[1]), max(int(match[2]), 1)) if match else None

    def __str__(self) -> str:
        return f"{self.requests:,} requests in {self.seconds:,} seconds to each endpoint"

    def room(self, seconds: float) -> float:
        """The number of requests to one endpoint that are let in within this time, if none was sent before."""
        return self.requests * (1 + seconds / self.seconds)


def refusal(limit: Limit, plan: Plan, mix: Mix) -> str | None:
    """Sentences for a load that does not fit into the limit: the reason, and what to do. None if it fits."""
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
    """The number, rounded down to two decimals or to a whole number."""
    return f"{int(number):d}" if number >= 10 else f"{int(number * 100) / 100:g}"
