"""The picture of a term and its heaviest neighbours: where each stands, for the template that draws it."""

from itertools import chain
from math import cos, pi, sin
from typing import NamedTuple
from unicodedata import east_asian_width

from triples.query.fact_rows import AnyRow, InferredRow
from triples.query.profile import Profile
from triples.visible import visible

MOST = 12
# The picture's middle is the origin. Labels need room at the sides.
WIDTH, HEIGHT = 440, 380
_RADII = 105, 130
_GAP = 10
# Of a label, in columns of Latin letters; those of Chinese take two.
_COLUMNS = 16


class Node(NamedTuple):
    """A neighbour, the heaviest fact that joins it to the term, and the place of both."""

    text: str
    label: str
    relation: str
    row: AnyRow
    inferred: bool
    x: float
    y: float
    # Of the label: where it begins, its two lines, and which end of it that is.
    label_x: float
    name_y: float
    relation_y: float
    anchor: str
    width: float


def around(term: str, profile: Profile) -> list[Node]:
    """The neighbours, from the top on with the clock, heaviest first. A fact of the term with itself has none."""
    heaviest: dict[str, tuple[AnyRow, bool]] = {}
    both = chain(((row, True) for row in profile.out.heaviest), ((row, False) for row in profile.in_.heaviest))
    for row, out in sorted(both, key=lambda one: (-one[0].weight, isinstance(one[0], InferredRow))):
        other = row.object if out else row.subject
        if other != term and len(heaviest) < MOST:
            heaviest.setdefault(other, (row, out))
    return [_node(place, len(heaviest), other, *found) for place, (other, found) in enumerate(heaviest.items())]


def _node(place: int, of: int, other: str, row: AnyRow, out: bool) -> Node:
    angle = 2 * pi * place / of - pi / 2
    x, y = _RADII[0] * cos(angle), _RADII[1] * sin(angle)
    anchor = "middle" if abs(x) < 1 else "start" if x > 0 else "end"
    below = 4.0 if anchor != "middle" else 22.0 if y > 0 else -24.0
    return Node(
        text=other,
        label=shortened(visible(other)),
        relation=f"{'→' if out else '←'} {shortened(visible(row.predicate))}",
        row=row,
        inferred=isinstance(row, InferredRow),
        x=round(x, 1),
        y=round(y, 1),
        label_x=round(x + {"middle": 0, "start": _GAP, "end": -_GAP}[anchor], 1),
        name_y=round(y + below, 1),
        relation_y=round(y + below + 13, 1),
        anchor=anchor,
        width=round(1 + 3 * row.weight, 2),
    )


def shortened(text: str, columns: int = _COLUMNS) -> str:
    """The text, cut where it would be wider than so many Latin letters."""
    widths = [2 if east_asian_width(letter) in "WF" else 1 for letter in text]
    if sum(widths) <= columns:
        return text
    kept = 0
    for place, width in enumerate(widths):
        kept += width
        if kept > columns - 1:
            return f"{text[:place]}…"
    raise AssertionError("a text that is too wide has a letter that is")
