"""Prometheus metrics of keys and limits. No label names a key: there can be any number of keys."""

from functools import cache

import structlog
from django.conf import settings
from django.utils import timezone
from prometheus_client import Counter, Gauge

from apikeys.models import ApiKey, State
from apikeys.near_limits import NearLimits
from skg_site.api.request import APIRequest
from skg_site.api.threads import in_thread

log = structlog.get_logger("skg.limits")

FAILURES = Counter("skg_auth_failures_total", "Requests that were not let in, by the reason in the log", ["reason"])
LIMITED = Counter("skg_rate_limited_total", "Requests refused because their key's limit was used up", ["endpoint"])
KEYS = Gauge("skg_keys", "Keys, by what they are worth", ["state"], multiprocess_mode="livemostrecent")
NEAR = Gauge(
    "skg_keys_near_limit",
    "Keys that used more than four fifths of a limit within the last minute",
    multiprocess_mode="livemostrecent",
)


@cache
def near_limits() -> NearLimits:
    """The shared table, opened at its first use."""
    return NearLimits(settings.ENV.state_dir / "near-limits")


def note_near_limit(request: APIRequest, who: str, *, refused: bool) -> None:
    """Record that `who` has used more than four fifths of a limit."""
    if refused:
        LIMITED.labels(request.route).inc()
    if near_limits().note(who):
        log.info(
            "key_near_limit",
            key_id=request.key_id,
            ip=request.client_address,
            endpoint=request.route,
            request_id=request.request_id,
        )


async def sample() -> None:
    NEAR.set(near_limits().count())
    for state, number in (await in_thread(_count_keys)).items():
        KEYS.labels(state).set(number)


def _count_keys() -> dict[str, int]:
    now = timezone.now()
    return {state.value: ApiKey.objects.in_state(state, now).count() for state in State}
