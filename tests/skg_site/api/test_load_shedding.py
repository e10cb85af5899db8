"""The gate: how many are let in, and what it learns from how long they waited."""

import pytest

from skg_site.api.load_shedding import AT_FIRST, LEAST, MOST_GROWTH, Gate


def pass_through(gate: Gate, requests: int, *, waited: float) -> None:
    for _ in range(requests):
        gate.enter()
        gate.leave(waited)


def test_it_is_full_when_as_many_are_inside_as_its_limit() -> None:
    gate = Gate(patience=0.25)
    for _ in range(AT_FIRST):
        assert not gate.is_full
        gate.enter()
    assert gate.is_full
    gate.abandon()
    assert not gate.is_full


def test_waits_that_are_too_long_leave_as_many_as_can_be_answered_in_time() -> None:
    gate = Gate(patience=0.25)
    pass_through(gate, 100, waited=1.0)
    gate.adjust(elapsed=0.1, lag=0.0)
    # 1,000 a second are answered, so 250 in a quarter of one.
    assert gate.limit == 250


def test_what_lay_unseen_before_it_was_let_in_counts_as_waiting() -> None:
    gate = Gate(patience=0.25)
    pass_through(gate, 100, waited=0.2)
    gate.adjust(elapsed=0.1, lag=0.0)
    assert gate.limit == AT_FIRST
    pass_through(gate, 100, waited=0.2)
    gate.adjust(elapsed=0.1, lag=0.1)
    # Of the quarter of a second a tenth is gone before.
    assert gate.limit == pytest.approx(150)
    pass_through(gate, 100, waited=0.2)
    gate.adjust(elapsed=0.1, lag=9.0)
    assert gate.limit == 125


def test_a_few_slow_requests_are_no_overload() -> None:
    gate = Gate(patience=0.25)
    pass_through(gate, 1, waited=9.0)
    gate.adjust(elapsed=1.0, lag=0.0)
    assert gate.limit == LEAST


def test_it_lets_more_in_when_it_refuses_although_waits_are_short() -> None:
    gate = Gate(patience=0.25)
    pass_through(gate, 100, waited=1.0)
    gate.adjust(elapsed=0.1, lag=0.0)
    limit = gate.limit
    pass_through(gate, 100, waited=0.01)
    gate.adjust(elapsed=0.1, lag=0.0)
    assert gate.limit == limit
    gate.refuse()
    pass_through(gate, 100, waited=0.01)
    gate.adjust(elapsed=0.1, lag=0.0)
    assert gate.limit == limit * MOST_GROWTH
    gate.refuse()
    pass_through(gate, 100, waited=0.2)
    gate.adjust(elapsed=0.1, lag=0.0)
    assert gate.limit == pytest.approx(limit * MOST_GROWTH * 1.25)


def test_little_is_let_in_while_nothing_at_all_is_answered() -> None:
    gate = Gate(patience=0.25)
    for _ in range(LEAST):
        gate.enter()
    gate.adjust(elapsed=0.2, lag=0.0)
    assert gate.limit == AT_FIRST
    gate.adjust(elapsed=0.2, lag=0.0)
    assert gate.limit == LEAST


def test_waiting_for_one_slow_request_changes_nothing() -> None:
    gate = Gate(patience=0.25)
    gate.enter()
    gate.adjust(elapsed=5, lag=0.0)
    assert gate.limit == AT_FIRST
