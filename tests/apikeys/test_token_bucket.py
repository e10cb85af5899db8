"""The arithmetic of a bucket, against the bucket that everybody has in mind."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apikeys.token_bucket import CLOCK_SLACK, SECOND, Bucket
from skg_site.api.rates import Rate

BUCKETS = st.builds(Bucket, capacity=st.integers(1, 40), interval=st.integers(1, 5_000))
NOW = 10**15


class CountedTokens:
    """Tokens that trickle in, as fractions, up to what the bucket holds."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.tokens = Fraction(bucket.capacity)

    def wait(self, nanoseconds: int) -> None:
        self.tokens = min(Fraction(self.bucket.capacity), self.tokens + Fraction(nanoseconds, self.bucket.interval))

    def take(self) -> bool:
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    @property
    def next_token(self) -> Fraction:
        return (int(self.tokens) + 1 - self.tokens) * self.bucket.interval


@given(BUCKETS, st.lists(st.integers(0, 20_000), max_size=200))
def test_it_decides_as_counted_tokens_do(bucket: Bucket, gaps: list[int]) -> None:
    counted = CountedTokens(bucket)
    full_at, now = 0, NOW
    for gap in gaps:
        now += gap
        counted.wait(gap)
        taken = bucket.take(full_at, now)
        assert taken.allowed == counted.take()
        assert taken.remaining == int(counted.tokens)
        assert taken.next_token == counted.next_token
        full_at = taken.full_at


@given(BUCKETS)
def test_a_full_bucket_gives_what_it_holds_at_once_and_no_more(bucket: Bucket) -> None:
    full_at = 0
    for left in reversed(range(bucket.capacity)):
        taken = bucket.take(full_at, NOW)
        assert (taken.allowed, taken.remaining) == (True, left)
        full_at = taken.full_at
    refused = bucket.take(full_at, NOW)
    assert (refused.allowed, refused.remaining, refused.full_at) == (False, 0, full_at)
    assert refused.next_token == bucket.interval
    assert bucket.take(full_at, NOW + bucket.interval).allowed


def test_a_moment_from_before_a_reboot_counts_as_a_full_bucket() -> None:
    bucket = Bucket.for_rate(Rate(100, 60))
    assert bucket.take(NOW * 50, NOW).remaining == 99


def test_a_clock_that_lags_behind_anothers_does_not_fill_the_bucket() -> None:
    bucket = Bucket.for_rate(Rate(3, 60))
    full_at = NOW
    for _ in range(3):
        full_at = bucket.take(full_at, NOW).full_at
    assert not bucket.take(full_at, NOW - 1_000).allowed
    assert not bucket.take(full_at, NOW - CLOCK_SLACK).allowed


@pytest.mark.parametrize(
    ("rate", "interval"),
    [(Rate(100, 60), 600_000_000), (Rate(100, 1), 10_000_000), (Rate(7, 1), 142_857_143), (Rate(999_999_999, 1), 2)],
)
def test_a_rate_fills_its_bucket_in_its_period(rate: Rate, interval: int) -> None:
    bucket = Bucket.for_rate(rate)
    assert bucket == Bucket(rate.requests, interval)
    # Rounded so that it is never faster than the rate.
    assert bucket.capacity * bucket.interval >= rate.seconds * SECOND
