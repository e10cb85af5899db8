"""Plots as SVG that the server lays out: bars and lines over slots of equal width, with round numbers at the axis.

Across, places are percentages, so that a plot has any width and its text stays readable on a narrow screen. Upwards,
they are pixels. Lines are drawn in a picture of its own, which is SPAN wide and stretched.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import NamedTuple

HEIGHT = 180
TOP, BOTTOM = 10, 24
SPAN = 1000
# Wider bars than this share of the plot look like a flag.
WIDEST = 8.0
MOST_LABELS = 6
# As many characters fit beside each other on the narrowest screen.
MOST_CHARACTERS = 42
# At most this many steps between the lines across.
STEPS = 4

Write = Callable[[float], str]


class Series(NamedTuple):
    """Numbers of one kind, one for each slot, or None; `kind` is the class of its marks in the style sheet."""

    name: str
    kind: str
    values: Sequence[float | None]


class Tick(NamedTuple):
    """A line across the plot, at a round number."""

    y: float
    text: str


class Part(NamedTuple):
    """A series' part of a bar."""

    kind: str
    y: float
    height: float


class Slot(NamedTuple):
    """A place on the axis: its name, its share of the width, its bar if there is one, and all its numbers as text."""

    name: str
    x: float
    width: float
    bar_x: float
    bar_width: float
    parts: list[Part]
    texts: list[str]
    title: str
    labelled: bool

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 2)


class Line(NamedTuple):
    """A stretch of a series without a gap, as the points of a polyline."""

    kind: str
    points: str


@dataclass(frozen=True, slots=True)
class Plot:
    title: str
    series: Sequence[Series]
    ticks: list[Tick]
    slots: list[Slot]
    lines: list[Line]
    slot_heading: str = ""
    height: int = HEIGHT
    floor: int = HEIGHT - BOTTOM
    span: int = SPAN


class Axis(NamedTuple):
    """The slots: what they are, their names, and the places of those whose names are shown, unless it is every n-th."""

    heading: str
    names: Sequence[str]
    labelled: Collection[int] | None = None

    @property
    def shown(self) -> Collection[int]:
        if self.labelled is not None:
            return self.labelled
        return range(0, len(self.names), max(1, -(-len(self.names) // labels_that_fit(self.names))))


def labels_that_fit(names: Sequence[str]) -> int:
    """The number of names that can be shown along the axis, with a space between them."""
    longest = max(map(len, names), default=0)
    return max(1, min(MOST_LABELS, MOST_CHARACTERS // (longest + 1)))


def bars(title: str, axis: Axis, series: Sequence[Series], write: Write) -> Plot:
    """The series on top of each other, the first one at the bottom."""
    totals = [sum(each.values[place] or 0 for each in series) for place in range(len(axis.names))]
    return _Layout(axis, series, write, max(totals, default=0)).plot(title, stacked=True)


def lines(title: str, axis: Axis, series: Sequence[Series], write: Write) -> Plot:
    highest = max((value for each in series for value in each.values if value is not None), default=0)
    return _Layout(axis, series, write, highest).plot(title, stacked=False)


def round_ticks(highest: float, *, whole: bool = False) -> list[float]:
    """Numbers from 0 to at least `highest`, in at most STEPS steps of 1, 2 or 5 times a power of ten."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / STEPS
    power = 10.0 ** floor(log10(rough))
    # One more power, since rounding can leave even ten times this one a hair too small.
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if power * factor * STEPS >= highest)
    if whole:
        step = max(1.0, step)
    count = next(number for number in range(1, STEPS + 1) if step * number >= highest)
    return [step * number for number in range(count + 1)]


class _Layout:
    def __init__(self, axis: Axis, series: Sequence[Series], write: Write, highest: float) -> None:
        self.axis = axis
        self.names = axis.names
        self.series = series
        self.write = write
        whole = all(isinstance(value, int) for each in series for value in each.values if value is not None)
        ticks = round_ticks(highest, whole=whole)
        self.scale = (HEIGHT - TOP - BOTTOM) / ticks[-1]
        self.ticks = [Tick(self._y(value), axis_text(value)) for value in ticks]

    def plot(self, title: str, *, stacked: bool) -> Plot:
        slots = [self._slot(place, stacked=stacked) for place in range(len(self.names))]
        drawn = [] if stacked else [line for each in self.series for line in self._lines(each)]
        return Plot(title, self.series, self.ticks, slots, drawn, self.axis.heading)

    def _slot(self, place: int, *, stacked: bool) -> Slot:
        width = 100 / len(self.names)
        bar = min(width * 0.8, WIDEST)
        name, x = self.names[place], place * width
        numbers = [each.values[place] for each in self.series]
        texts = ["-" if number is None else self.write(number) for number in numbers]
        told = ", ".join(f"{text} {each.name}" for text, each in zip(texts, self.series, strict=True))
        return Slot(
            name=name,
            x=round(x, 3),
            width=round(width, 3),
            bar_x=round(x + (width - bar) / 2, 3),
            bar_width=round(bar, 3),
            parts=self._parts(numbers) if stacked else [],
            texts=texts,
            title=f"{name}: {told}",
            labelled=place in self.axis.shown,
        )

    def _parts(self, numbers: Sequence[float | None]) -> list[Part]:
        parts: list[Part] = []
        below = 0.0
        for each, number in zip(self.series, numbers, strict=True):
            if number:
                top = self._y(below + number)
                parts.append(Part(each.kind, top, round(self._y(below) - top, 2)))
                below += number
        return parts

    def _lines(self, series: Series) -> list[Line]:
        """A number with none before and after it is a short line, or it would not be seen."""
        width = SPAN / len(self.names)
        found: list[Line] = []
        stretch: list[str] = []
        for place, value in enumerate([*series.values, None]):
            if value is not None:
                stretch.append(f"{(place + 0.5) * width:.1f},{self._y(value)}")
            elif stretch:
                if len(stretch) == 1:
                    x, y = stretch[0].split(",")
                    stretch = [f"{float(x) - width / 4:.1f},{y}", f"{float(x) + width / 4:.1f},{y}"]
                found.append(Line(series.kind, " ".join(stretch)))
                stretch = []
        return found

    def _y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - value * self.scale, 2)


def axis_text(value: float) -> str:
    """A short text for a round number: 0.05, 250, 20k, 1.5M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size and value >= 10_000:
            return f"{value / size:,g}{unit}"
    return f"{value:,.10g}"
