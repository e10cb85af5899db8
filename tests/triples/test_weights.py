"""Weights that the service computed, as they are shown."""

from math import prod

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from triples.weights import computed, least_rest

_WEIGHTS = st.floats(0, 1, exclude_min=True)


@given(_WEIGHTS)
@example(5e-324)
@example(1.0)
@example(1 - 2**-53)
def test_a_shown_weight_is_as_near_as_15_digits_can_be(weight: float) -> None:
    shown = computed(weight)
    assert abs(shown - weight) < 1e-15
    # Half of the last digit; a weight this small has fewer binary digits than that.
    assert abs(shown - weight) <= 5e-15 * weight or weight < 1e-300
    assert 0 < shown <= 1
    assert computed(shown) == shown
    assert len(repr(shown).partition("e")[0].replace(".", "").strip("0")) <= 15


@given(st.lists(st.integers(1, 10), min_size=1, max_size=6))
def test_products_of_tenths_have_no_digits_that_nobody_meant(tenths: list[int]) -> None:
    assert computed(prod(tenth / 10 for tenth in tenths)) == prod(tenths) / 10 ** len(tenths)


@given(_WEIGHTS, _WEIGHTS)
def test_the_order_stays(one: float, other: float) -> None:
    assert (computed(one) <= computed(other)) or one > other


@pytest.mark.parametrize(("weight", "shown"), [(0.0, 0.0), (0.9 * 0.9 * 0.9, 0.729), (1e-20 / 3, 3.33333333333333e-21)])
def test_examples(weight: float, shown: float) -> None:
    assert computed(weight) == shown


@pytest.mark.parametrize(
    ("least", "weight", "low", "high"),
    [(0.4, 0.5, 0.799_999, 0.8), (0.5, 0.25, 1.999_999, 2.0), (1e-300, 0.5, 0, 0), (0.5, 0.0, 0, 0), (0.0, 0.5, 0, 0)],
)
def test_the_least_rest_is_at_most_the_quotient(least: float, weight: float, low: float, high: float) -> None:
    assert low <= least_rest(least, weight) <= high
