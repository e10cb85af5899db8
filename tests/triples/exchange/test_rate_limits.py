"""What a service's headers say about the next request."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from triples.exchange.rate_limits import LONGEST_SECONDS, seconds_to_wait

LIMIT = "RateLimit"
POLICY = "RateLimit-Policy"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "7", LIMIT: '"default";r=0;t=60'}, 7),
        ({"Retry-After": "99999999"}, LONGEST_SECONDS),
        ({"Retry-After": "Mon, 15 Jan 2024 10:30:00 GMT"}, 0),
        ({"Retry-After": "soon"}, 0),
        ({LIMIT: '"default";r=1;t=60'}, 0),
        ({LIMIT: '"default";r=0;t=6'}, 6),
        ({LIMIT: '"default";r=0;t=6', POLICY: '"default";q=100;w=60'}, 0.6),
        ({LIMIT: '"default";r=0', POLICY: '"default";q=0;w=60'}, 0),
        ({LIMIT: "nonsense"}, 0),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert seconds_to_wait(headers) == seconds


def test_a_moment_to_come_is_waited_for() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 90 < seconds_to_wait({"Retry-After": moment}) <= 100
