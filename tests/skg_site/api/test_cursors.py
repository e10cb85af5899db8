"""Cursors: positions as text that a client only passes back."""

import math
import re
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from skg_site.api.cursors import CursorLayout

LAYOUT = CursorLayout("dq")


class Page(BaseModel):
    cursor: Annotated[str, LAYOUT.field]


weights = st.floats(0, 1)
ids = st.integers(-(2**63), 2**63 - 1)


@given(weights, ids)
def test_a_position_comes_back_to_the_last_bit(weight: float, id_: int) -> None:
    assert LAYOUT.decode(Page(cursor=LAYOUT.encode(weight, id_)).cursor) == (weight, id_)


@given(weights, ids)
def test_a_cursor_needs_no_escaping_in_a_url(weight: float, id_: int) -> None:
    assert re.fullmatch("[0-9a-f]{32}", LAYOUT.encode(weight, id_))


@given(st.from_regex(r"\A[0-9a-f]{32}\Z"))
def test_every_text_of_the_form_is_a_position(cursor: str) -> None:
    weight, id_ = LAYOUT.decode(Page(cursor=cursor).cursor)
    assert LAYOUT.encode(weight, id_) == cursor or math.isnan(weight)


@pytest.mark.parametrize(
    "cursor",
    ["", "0", "x" * 32, "0" * 31, "0" * 33, "A" * 32, "0" * 31 + "\n", "0" * 32 + "\n", "\u0661" * 32, " " + "0" * 32],
    ids=repr,
)
def test_any_other_text_is_invalid(cursor: str) -> None:
    with pytest.raises(ValidationError, match="pattern"):
        Page(cursor=cursor)


def test_the_documentation_says_what_a_cursor_looks_like() -> None:
    assert Page.model_json_schema()["properties"]["cursor"]["pattern"] == "^[0-9a-f]{32}$"
