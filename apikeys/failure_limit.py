"""Limit of failed authentications for each address, so that keys cannot be guessed.

Only failures are limited. A working key passes even from an address over its limit, since clients can share an address
(behind one NAT). Such an address has its keys read from the database one at a time, so it keeps a worker no busier
than one client does.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

from rest_framework.exceptions import Throttled

from apikeys.audit import auth_failures_limited
from apikeys.rate_limits import failed_attempts, identity_of
from apikeys.token_bucket import SECOND, Bucket
from skg_site.api.addresses import client_network
from skg_site.api.rates import Rate
from skg_site.api.request import APIRequest

Result = TypeVar("Result")

FAILURE_RATE = Rate(30, 60)
MAX_REMEMBERED = 10_000

_BUCKET = Bucket.for_rate(FAILURE_RATE)


@dataclass(slots=True)
class _Failing:
    """An address over its limit: until when, and the lock under which its keys are read."""

    until: float
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


class FailureLimit:
    """A bucket of failures for each address, shared by all workers. For use on one event loop."""

    def __init__(self) -> None:
        # The oldest first.
        self._failing: dict[str, _Failing] = {}

    async def count(self, request: APIRequest) -> None:
        """Count a failure; raises `Throttled` if there were too many."""
        network = client_network(request.client_address)
        taken = await failed_attempts.take(identity_of(network), _BUCKET)
        if not taken.allowed:
            wait = -(-taken.next_token // SECOND)
            self._remember(request, network, wait)
            raise Throttled(wait, "Too many failed attempts to authenticate came from this address.")

    async def one_at_a_time(self, request: APIRequest, read: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The result of `read`; an address over its limit waits until its previous one has ended."""
        failing = self._failing.get(client_network(request.client_address))
        if failing is None or failing.until < monotonic():
            return await read()
        async with failing.reading:
            reading = asyncio.create_task(read())
            try:
                return await asyncio.shield(reading)
            except asyncio.CancelledError:
                # Otherwise a client that disconnects at once could start any number of queries.
                await asyncio.wait({reading})
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


failure_limit = FailureLimit()
