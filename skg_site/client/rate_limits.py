"""Parser of a service's rate limit headers: when the next request may be sent.

`Retry-After` as RFC 9110 has it; `RateLimit` and `RateLimit-Policy` as in
https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_SECONDS = 3600.0

_PARAMETER = re.compile(r";\s*([a-z]+)=(\d{1,9})")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of `Retry-After`; None without a usable one."""
    text = headers.get("Retry-After", "")
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_SECONDS)


def until_next_token(headers: Mapping[str, str]) -> float:
    """The seconds until the key's limit lets another request in, as `RateLimit` says; 0 if it does now."""
    limit, policy = (_parameters(headers.get(name, "")) for name in ("RateLimit", "RateLimit-Policy"))
    if limit.get("r") != 0:
        return 0.0
    seconds = float(limit.get("t", 0))
    if policy.get("q") and policy.get("w"):
        # `t` is in whole seconds; a bucket with a high rate has a new token sooner.
        seconds = min(seconds, policy["w"] / policy["q"])
    return min(seconds, LONGEST_SECONDS)


def _parameters(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in _PARAMETER.findall(text)}
