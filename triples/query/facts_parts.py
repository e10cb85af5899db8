"""Parts of the facts of a pattern, the heaviest first."""

from math import nextafter
from typing import NamedTuple

from triples.query.blocks import Ends
from triples.query.lookups import Between, JoiningSource, OfWeight, Part

# The facts in a part, by how long the database took to join the one before: in seconds.
SMALLEST, LARGEST = 64, 16_384
_SHORT, _LONG = 0.015, 0.1


class Begin(NamedTuple):
    """The facts that are left: at most of this weight, and of this, only those after an id."""

    weight: float
    after: int | None = None


class FactsPart(NamedTuple):
    part: Part
    # About how many facts it has.
    size: int
    # The weight of its heaviest fact, or more.
    heaviest: float
    # None if it is the last.
    following: Begin | None
    # If set, the part should have enough answers of at least this weight.
    guess: float | None = None


def narrow_part(source: JoiningSource, ends: Ends, begin: Begin, size: int) -> FactsPart:
    """The next part, of so many facts or a few more."""
    weight, after = begin
    if after is None:
        below = source.weight_at(ends, weight, size)
        if below is None:
            return FactsPart(Between(weight, 0.0), size, weight, None)
        heaviest = source.weight_at(ends, weight, 0) or weight
        if below < heaviest:
            return FactsPart(Between(heaviest, below), size, heaviest, Begin(below))
        weight, after = heaviest, 0
    last = source.id_at(ends, weight, after, size - 1)
    following = Begin(nextafter(weight, 0.0)) if last is None else Begin(weight, last)
    return FactsPart(OfWeight(weight, after, last), size, weight, following)


def next_size(size: int, seconds: float) -> int:
    """The number of facts in the next part, after one of this size took so long."""
    if seconds < _SHORT:
        size *= 2
    elif seconds > _LONG:
        size = max(size // 2, SMALLEST)
    return min(size, LARGEST)
