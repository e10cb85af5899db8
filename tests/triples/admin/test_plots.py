"""Plots: round numbers at the axis, marks in proportion and inside."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triples.admin.plots import (
    BOTTOM,
    HEIGHT,
    MOST_CHARACTERS,
    MOST_LABELS,
    SPAN,
    TOP,
    Axis,
    Plot,
    Series,
    axis_text,
    bars,
    lines,
    round_ticks,
)

COUNTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=60)
SHARES = st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=60)


def axis(values: list[int] | list[float | None]) -> Axis:
    return Axis("Place", [str(place) for place in range(len(values))])


def drawn(*values: list[int]) -> Plot:
    series = [Series(f"s{place}", "first", each) for place, each in enumerate(values)]
    return bars("Bars", axis(values[0]), series, "{:,}".format)


@given(highest=st.floats(1e-6, 1e12))
def test_ticks_are_few_and_round_and_reach_the_highest(highest: float) -> None:
    ticks = round_ticks(highest)
    assert 2 <= len(ticks) <= 5
    assert ticks[0] == 0
    assert ticks[-2] < highest <= ticks[-1] * (1 + 1e-9)
    digits = f"{ticks[1]:.6e}".split("e")[0].rstrip("0").rstrip(".")
    assert digits in {"1", "2", "5"}
    assert all(after - before == pytest.approx(ticks[1]) for before, after in pairwise(ticks))


@pytest.mark.parametrize(
    ("highest", "texts"),
    [
        (0, ["0", "1"]),
        (1, ["0", "1"]),
        (3, ["0", "1", "2", "3"]),
        (301_664, ["0", "100k", "200k", "300k", "400k"]),
        (1_107_504, ["0", "500k", "1M", "1.5M"]),
        (7_200, ["0", "2,000", "4,000", "6,000", "8,000"]),
    ],
)
def test_the_numbers_at_the_axis_are_such_as_people_choose(highest: int, texts: list[str]) -> None:
    assert [axis_text(value) for value in round_ticks(highest, whole=True)] == texts


@given(values=COUNTS)
def test_bars_lie_inside_in_proportion_and_apart(values: list[int]) -> None:
    plot = drawn(values, values)
    assert sum(slot.labelled for slot in plot.slots) <= MOST_LABELS
    scale = (HEIGHT - TOP - BOTTOM) / round_ticks(2 * max(values), whole=True)[-1]
    for slot, value in zip(plot.slots, values, strict=True):
        assert slot.x <= slot.bar_x < slot.bar_x + slot.bar_width <= 100.01
        assert [part.height for part in slot.parts] == pytest.approx([value * scale] * 2 * bool(value), abs=0.02)
        assert all(part.y >= TOP - 0.01 for part in slot.parts)
        assert slot.texts == [f"{value:,}"] * 2
    for before, after in pairwise(plot.slots):
        assert before.bar_x + before.bar_width < after.bar_x


@given(values=SHARES)
def test_lines_have_each_number_and_break_where_there_is_none(values: list[float | None]) -> None:
    plot = lines("Lines", axis(values), [Series("s", "first", values)], "{:g}".format)
    points = [tuple(map(float, point.split(","))) for line in plot.lines for point in line.points.split()]
    assert all(0 <= x <= SPAN and TOP - 0.01 <= y <= HEIGHT - BOTTOM for x, y in points)
    gaps = "".join("." if value is None else "x" for value in values)
    stretches = gaps.replace(".", " ").split()
    assert [len(line.points.split()) for line in plot.lines] == [max(2, len(stretch)) for stretch in stretches]
    assert [slot.texts == ["-"] for slot in plot.slots] == [value is None for value in values]


def test_one_round_is_no_flag() -> None:
    assert drawn([7]).slots[0].bar_width < 10


def test_the_names_that_are_shown_can_be_chosen() -> None:
    plot = bars("Bars", Axis("Place", ["a", "b", "c"], [1]), [Series("s", "first", [1, 2, 3])], "{:,}".format)
    assert [slot.labelled for slot in plot.slots] == [False, True, False]


@given(names=st.lists(st.text("abc", min_size=1, max_size=20), min_size=1, max_size=80))
def test_the_names_that_are_shown_fit_on_a_narrow_screen(names: list[str]) -> None:
    shown = [names[place] for place in Axis("Place", names).shown]
    assert 1 <= len(shown) <= MOST_LABELS
    assert len(shown) == 1 or len(" ".join(shown)) <= MOST_CHARACTERS
