"""Limits how often an address may fail to authenticate, so that keys cannot be tried out in numbers."""

from time import monotonic
from typing import Any

from django_ratelimit.core import get_usage
from rest_framework.exceptions import Throttled

from apikeys.audit import auth_failures_limited
from apikeys.networks import client_network
from skg_site.api.door import APIRequest
from skg_site.api.threads import in_thread

FAILURE_RATE = "30/m"
MAX_REMEMBERED = 10_000


class FailureLimit:
    """Counts in Django's cache, which the workers share; for use on one event loop.

    An address over its limit stays so until the counter's window ends, so each process remembers until when
    and does not ask again.
    """

    def __init__(self) -> None:
        self._over_until: dict[str, float] = {}

    async def check(self, request: APIRequest) -> None:
        """Raise `Throttled` for an address that has failed too often."""
        self._check_remembered(request)
        await self._ask(request, increment=False)

    async def count(self, request: APIRequest) -> None:
        """Count a failure; raise `Throttled` if it is one too many."""
        self._check_remembered(request)
        await self._ask(request, increment=True)

    def clear(self) -> None:
        self._over_until.clear()

    def _check_remembered(self, request: APIRequest) -> None:
        until = self._over_until.get(client_network(request.client_address))
        if until is not None and (wait := until - monotonic()) > 0:
            raise _too_many(wait)

    async def _ask(self, request: APIRequest, *, increment: bool) -> None:
        usage = await in_thread(
            get_usage, request, group="auth-failure", key=_client, rate=FAILURE_RATE, increment=increment
        )
        if usage is None or not usage["should_limit"]:
            return
        wait = max(1, usage["time_left"])
        if len(self._over_until) >= MAX_REMEMBERED:
            self._over_until.clear()
        self._over_until[client_network(request.client_address)] = monotonic() + wait
        auth_failures_limited(request, wait)
        raise _too_many(wait)


def _client(_group: str, request: Any) -> str:
    return client_network(request.client_address)


def _too_many(wait: float) -> Throttled:
    return Throttled(wait, "Too many failed attempts to authenticate came from this address.")
