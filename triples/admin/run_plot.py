"""New and improved facts of each round of a run, laid out as bars."""

from typing import Any, NamedTuple

from triples.runs.rounds import round_labels

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 70, 10, 14, 30
# Wider bars than this look like a flag.
WIDEST = 60.0
MOST_LABELS = 20


class Bar(NamedTuple):
    """A round: the new facts at the bottom, the improved ones on top of them."""

    label: str
    x: float
    width: float
    new_y: float
    new_height: float
    improved_y: float
    improved_height: float
    new: int
    improved: int
    labelled: bool

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)


class Line(NamedTuple):
    """A line across the plot, at a number of facts."""

    y: float
    facts: int


class Plot(NamedTuple):
    bars: list[Bar]
    lines: list[Line]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM


def plot(rounds: list[dict[str, Any]]) -> Plot:
    """The rounds as a run's row has them."""
    highest = max((made["new"] + made["improved"] for made in rounds), default=0) or 1
    scale = (HEIGHT - TOP - BOTTOM) / highest
    slot = (WIDTH - LEFT - RIGHT) / max(len(rounds), 1)
    width = min(slot * 0.8, WIDEST)
    every = -(-len(rounds) // MOST_LABELS)
    bars: list[Bar] = []
    for place, (made, label) in enumerate(zip(rounds, round_labels(rounds), strict=True)):
        new_height, improved_height = made["new"] * scale, made["improved"] * scale
        new_y = HEIGHT - BOTTOM - new_height
        bars.append(
            Bar(
                label=label,
                x=round(LEFT + place * slot + (slot - width) / 2, 2),
                width=round(width, 2),
                new_y=round(new_y, 2),
                new_height=round(new_height, 2),
                improved_y=round(new_y - improved_height, 2),
                improved_height=round(improved_height, 2),
                new=made["new"],
                improved=made["improved"],
                labelled=place % every == 0,
            )
        )
    marks = sorted({0, highest // 2, highest})
    return Plot(bars, [Line(round(HEIGHT - BOTTOM - facts * scale, 2), facts) for facts in marks])
