"""Rate limits: a token bucket for each key and endpoint, shared by all workers, and by all hosts through Valkey."""

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apikeys.callers import ANONYMOUS, Caller, caller_of
from apikeys.metrics import note_near_limit
from apikeys.rate_limits import identity_of, limits
from apikeys.token_bucket import SECOND, Bucket
from skg_site.api.addresses import client_network
from skg_site.api.rates import Rate
from skg_site.api.request import APIRequest, http_of
from skg_site.api.valkey import valkey

if TYPE_CHECKING:
    # DRF imports this module during its own import, so its views cannot be imported here.
    from skg_site.api.views import APIViewSet


class Limit(NamedTuple):
    """The constants of a key's limit at an endpoint."""

    identity: int
    bucket: Bucket
    policy: bytes


class KeyRate(BaseThrottle):
    """Takes a token for each request, refuses it if the bucket is empty, and sends the draft RateLimit fields.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
    """

    _wait: int | None = None
    # A sentence that names the limit, and how to raise it.
    reason = ""
    _caller: Caller
    _rate: Rate
    _who: str

    async def allow_request(self, request: Request, view: "APIViewSet") -> bool:  # type: ignore[override]  # the API's views await it
        limit = self._limit(request, view)
        return limit is None or await self._take(http_of(request), limit.identity, limit.bucket, limit.policy)

    async def charge(self, request: Request, view: "APIViewSet", tokens: int) -> bool:
        """Take further tokens for a request that costs more than one; whether there were enough."""
        limit = self._limit(request, view)
        if limit is None or limit.bucket.capacity == 1:
            return True
        http = http_of(request)
        http.answer_headers = [header for header in http.answer_headers if not header[0].startswith(b"RateLimit")]
        # One is taken already: of a small bucket all that were left are enough.
        bucket = limit.bucket.costing(min(tokens, limit.bucket.capacity - 1))
        return await self._take(http, limit.identity, bucket, limit.policy)

    def _limit(self, request: Request, view: "APIViewSet") -> Limit | None:
        self._caller = caller = caller_of(request) or ANONYMOUS
        self._rate = rate = settings.ENV.rate_limit if caller.rate is None else caller.rate
        if not rate.requests:
            return None
        self._who = caller.counted_as or client_network(http_of(request).client_address)
        return limit_for(self._who, view.basename, view.action, rate)

    async def _take(self, http: APIRequest, identity: int, bucket: Bucket, policy: bytes) -> bool:
        taken = await limits.take(identity, bucket) if valkey.is_up else limits.table.take(identity, bucket)
        # Rounded up to whole seconds, so that there is a token by then.
        seconds = -(-taken.next_token // SECOND)
        state = b'"default";r=%d;t=%d' % (taken.remaining, seconds)
        http.answer_headers += ((b"RateLimit-Policy", policy), (b"RateLimit", state))
        if taken.remaining * 5 < bucket.capacity:
            note_near_limit(http, self._who, refused=not taken.allowed)
        if not taken.allowed:
            self._wait = seconds
            self.reason = _reason(http, self._caller, self._rate)
        return taken.allowed

    def wait(self) -> int | None:
        return self._wait


def _reason(request: APIRequest, caller: Caller, rate: Rate) -> str:
    used_up = f"{rate.in_words} to {request.method} {request.route} {'are' if rate.requests > 1 else 'is'} used up."
    if caller.counted_as is None:
        return f"For this address, {used_up} SKG_RATE_LIMIT sets how many there are."
    if caller.rate is None:
        return (
            f"For this key, {used_up} SKG_RATE_LIMIT sets how many there are; "
            "an admin can also give the key a rate of its own."
        )
    return f"For this key, {used_up} That is the key's own rate, which an admin can change."


@lru_cache(maxsize=16_384)
def limit_for(who: str, basename: str | None, action: str, rate: Rate) -> Limit:
    if not basename:
        raise ImproperlyConfigured("a view with limits needs a basename: as_view(…, basename='triples')")
    # The rate is a part of the name: with a new rate a key starts with a full bucket.
    name = "\n".join((who, basename, action, str(rate)))
    bucket = Bucket.for_rate(rate)
    # The same size on the host and in Valkey, since either may count.
    bucket = bucket.in_microseconds if settings.ENV.redis_url else bucket
    return Limit(identity_of(name), bucket, b'"default";q=%d;w=%d' % rate)
