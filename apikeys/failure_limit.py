"""Limits how often an address may fail to authenticate, so that keys cannot be tried out in numbers.

Only failures are limited. A good key is let in from an address that is over its limit, since others may share it
(behind one NAT, say); what such an address presents is looked up one after the other, so that it keeps a worker no
busier than one client does.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

from rest_framework.exceptions import Throttled

from apikeys.audit import auth_failures_limited
from apikeys.networks import client_network
from apikeys.rate_limits import failed_attempts, identity_of
from apikeys.token_bucket import SECOND, Bucket
from skg_site.api.rates import Rate
from skg_site.api.request import APIRequest

Result = TypeVar("Result")

FAILURE_RATE = Rate(30, 60)
MAX_REMEMBERED = 10_000

_BUCKET = Bucket.for_rate(FAILURE_RATE)


@dataclass(slots=True)
class _Failing:
    """An address that is over its limit: until when it counts as such, and whose turn it is to look a key up."""

    until: float
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class FailureLimit:
    """A bucket of failures for each address, over all workers, in a table of fixed size; for use on one event loop."""

    def __init__(self) -> None:
        # Those that came first at the front.
        self._failing: dict[str, _Failing] = {}

    async def count(self, request: APIRequest) -> None:
        """Count a failure; raise `Throttled` if it is one too many."""
        network = client_network(request.client_address)
        taken = await failed_attempts.take(identity_of(network), _BUCKET)
        if not taken.allowed:
            wait = -(-taken.next_token // SECOND)
            self._remember(request, network, wait)
            raise Throttled(wait, "Too many failed attempts to authenticate came from this address.")

    async def in_turn(self, request: APIRequest, look_up: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """What `look_up` gives; for an address that keeps failing, one at a time."""
        failing = self._failing.get(client_network(request.client_address))
        if failing is None or failing.until < monotonic():
            return await look_up()
        async with failing.turn:
            looking = asyncio.create_task(look_up())
            try:
                return await asyncio.shield(looking)
            except asyncio.CancelledError:
                # A client that goes away at once would otherwise keep the database as busy as it likes.
                await asyncio.wait({looking})
                raise

    def clear(self) -> None:
        self._failing.clear()
        failed_attempts.table.clear()

    def _remember(self, request: APIRequest, network: str, wait: int) -> None:
        now = monotonic()
        failing = self._failing.get(network)
        if failing is None:
            if len(self._failing) >= MAX_REMEMBERED:
                del self._failing[next(iter(self._failing))]
            failing = self._failing[network] = _Failing(until=0)
        if failing.until < now:
            auth_failures_limited(request, wait)
        failing.until = now + FAILURE_RATE.seconds
