"""Filters: as numbers or dates where both sides are, else as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triples.patterns import Variable
from triples.query import filters
from triples.query.filters import Filter, Operator, compare

X, Y = Variable("x"), Variable("y")


@pytest.mark.parametrize(
    ("left", "operation", "right"),
    [
        ("9", "<", "10"),
        ("1.0", "=", "1"),
        ("+1e3", "=", "1000"),
        (".5", ">", "-2."),
        # Floats would take these for the same.
        ("9007199254740993", ">", "9007199254740992"),
        ("1e-9999", ">", "0"),
        # Numbers in other scripts, words for numbers and what only looks like one are text.
        ("٣", "!=", "3"),
        ("NaN", "=", "NaN"),
        ("inf", ">", "9"),
        ("1_000", "!=", "1000"),
        ("1e99999", "!=", "1e099999"),
        ("1999-12-31", "<", "2000-01-01T00:00:01"),
        ("2000-01-01T01:00:00+01:00", "=", "2000-01-01"),
        ("2000-01-01 00:00Z", "=", "2000-01-01T00:00:00.000"),
        # No day, so text.
        ("2000-02-30", "<", "2000-02-4"),
        ("0001-01-01T00:00+05:00", "!=", "0001-01-01"),
        # One is a number, the other is not.
        ("10", "<", "9 apples"),
        ("b", ">=", "a"),
        ("Zoë", "starts_with", "zO"),
        ("Straße", "contains", "RASS"),
    ],
)
def test_it_holds(left: str, operation: Operator, right: str) -> None:
    assert compare(left, operation, right)


@pytest.mark.parametrize(
    ("left", "operation", "right"),
    [
        ("10", "<", "9"),
        ("a", "=", "A"),
        ("York", "starts_with", "New"),
        ("2000-01-02", "<=", "2000-01-01"),
        ("", ">", "a"),
    ],
)
def test_it_does_not_hold(left: str, operation: Operator, right: str) -> None:
    assert not compare(left, operation, right)


sides = st.integers(-20, 20).map(str) | st.dates().map(str) | st.sampled_from(["1.50", "a", "B"])


@given(sides, sides)
def test_the_comparisons_agree_with_each_other(left: str, right: str) -> None:
    assert compare(left, "=", right) != compare(left, "!=", right)
    assert compare(left, "<", right) != compare(left, ">=", right)
    assert compare(left, ">", right) == compare(right, "<", left)
    assert compare(left, "<=", right) == (compare(left, "<", right) or compare(left, "=", right))


@pytest.mark.parametrize("operation", ["=", "!=", "<", "contains"])
def test_null_satisfies_nothing(operation: Operator) -> None:
    assert not Filter(X, operation, "a").holds({X: None})
    assert not Filter(X, operation, Y).holds({X: "a", Y: None})
    assert not Filter(X, operation, X).holds({X: None})


@given(sides, st.lists(sides, max_size=3))
def test_a_list_holds_as_its_values_one_by_one(left: str, values: list[str]) -> None:
    assert Filter(X, "in", tuple(values)).holds({X: left}) == any(compare(left, "=", value) for value in values)


def test_a_long_list_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(filters, "_number", read.append)
    filter_ = Filter(X, "in", tuple(str(number) for number in range(1_000)))

    for number in range(100):
        filter_.holds({X: f"x{number}"})

    assert len(read) == 1_100


def test_a_list_holds_when_one_of_its_values_is_equal() -> None:
    assert Filter(X, "in", ("a", "2.0")).holds({X: "2"})
    assert not Filter(X, "in", ("a", "2.0")).holds({X: "A"})
    assert not Filter(X, "in", ()).holds({X: "a"})
