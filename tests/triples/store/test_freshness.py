"""Tokens of positions in the log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triples.store.freshness import FRESHNESS, Freshness, need_newest, position_of, token_of


@given(st.integers(0, (1 << 64) - 1))
def test_a_token_names_its_position(position: int) -> None:
    assert position_of(token_of(position).encode()) == position


@pytest.mark.parametrize(
    "token", [b"", b"/", b"1", b"1/", b"/1", b"1/2/3", b"g/1", b"a/1", b"123456789/1", b" 1/2", b"1/2\n"]
)
def test_other_texts_name_none(token: bytes) -> None:
    assert position_of(token) is None


def test_a_request_remembers_its_last_write() -> None:
    freshness = Freshness(7)
    freshness.note(30)
    freshness.note(20)
    assert (freshness.needed, freshness.written, freshness.newest) == (7, 30, False)


def test_what_must_see_the_newest_says_so() -> None:
    need_newest()
    freshness = Freshness(0)
    outer = FRESHNESS.set(freshness)
    try:
        need_newest()
    finally:
        FRESHNESS.reset(outer)
    assert freshness.newest
