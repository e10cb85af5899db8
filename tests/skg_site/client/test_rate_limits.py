"""What a service's headers say about the next request."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from skg_site.client.rate_limits import LONGEST_SECONDS, retry_after, until_next_token

LIMIT = "RateLimit"
POLICY = "RateLimit-Policy"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "99999999"}, LONGEST_SECONDS),
        ({"Retry-After": "Mon, 15 Jan 2024 10:30:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
    ],
)
def test_how_long_a_refusal_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({LIMIT: '"default";r=1;t=60'}, 0),
        ({LIMIT: '"default";r=0;t=6'}, 6),
        ({LIMIT: '"default";r=0;t=6', POLICY: '"default";q=100;w=60'}, 0.6),
        ({LIMIT: '"default";r=0;t=99999'}, LONGEST_SECONDS),
        ({LIMIT: '"default";r=0', POLICY: '"default";q=0;w=60'}, 0),
        ({LIMIT: "nonsense"}, 0),
    ],
)
def test_how_long_a_limit_that_is_used_up_lasts(headers: dict[str, str], seconds: float) -> None:
    assert until_next_token(headers) == seconds


def test_a_moment_to_come_is_waited_for() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 90 < (retry_after({"Retry-After": moment}) or 0) <= 100
