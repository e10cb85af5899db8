"""What is told of many durations is at most a hundredth too high, however many there are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skg_site.ops.loadtest.latencies import Latencies

microseconds = st.integers(0, 10**10)


def recorded(values: list[int]) -> Latencies:
    latencies = Latencies()
    for value in values:
        latencies.record(value / 1_000_000)
    return latencies


@given(st.lists(microseconds, min_size=1), st.sampled_from([0.5, 0.9, 0.99, 0.999, 1.0]))
def test_a_percentile_is_that_of_the_sorted_values_or_little_more(values: list[int], share: float) -> None:
    exact = sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]
    assert exact <= recorded(values).percentile(share) <= exact * (1 + 1 / 128)


@given(st.lists(microseconds), st.lists(microseconds))
def test_what_is_added_up_is_as_if_it_had_been_recorded_together(ours: list[int], theirs: list[int]) -> None:
    together = recorded(ours)
    together.add(recorded(theirs))
    expected = recorded(ours + theirs)
    assert list(together) == list(expected)
    assert (together.count, together.total, together.longest) == (expected.count, expected.total, expected.longest)


def test_the_longest_is_exact_and_no_percentile_is_beyond_it() -> None:
    latencies = recorded([1, 2, 1_000_001])
    assert latencies.longest == latencies.percentile(1) == 1_000_001
    assert latencies.mean == pytest.approx(333_334.67, abs=0.01)


def test_of_nothing_everything_is_zero() -> None:
    latencies = Latencies()
    assert (latencies.percentile(0.99), latencies.mean, latencies.longest, list(latencies)) == (0, 0, 0, [])


@pytest.mark.parametrize(("seconds", "told"), [(-1e-9, 0), (10**9, (1 << 36) - 1)])
def test_what_no_clock_should_show_is_still_counted(seconds: float, told: int) -> None:
    latencies = Latencies()
    latencies.record(seconds)
    assert latencies.percentile(1) == told
