"""Join planning: in which order patterns are looked up, and which terms each look-up is given and finds.

It is pure, so that rules are planned in the same way as queries.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from triples.patterns import BoundPattern, BoundPlace, Shape, Unification, Variable, unification

# How much a given subject, predicate or object narrows what matches: few facts share both ends, fewer share a
# subject than an object, and a predicate alone says little.
_NARROWING = (5, 2, 4)


@dataclass(frozen=True, slots=True)
class Match(Unification):
    """The match of a fact with a pattern, and the slots that it fills: columns of the fact, slots of the plan."""

    # The columns that fill the next free slots.
    taken: tuple[int, ...]
    # Pairs of slots that must differ from here on.
    distinct: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """The next pattern: its facts are looked up by the terms in `bound`, which are slots."""

    shape: Shape
    bound: tuple[int, ...]
    match: Match


class Planner:
    """Numbers the slots of a plan: places of a tuple of terms, the constants first, then the variables as they are met.

    `distinct` are pairs of variables that must not hold the same term.
    """

    def __init__(self, patterns: Sequence[BoundPattern], distinct: Sequence[tuple[Variable, Variable]] = ()) -> None:
        places = [place for pattern in patterns for place in pattern]
        self.constants = tuple(dict.fromkeys(place for place in places if not isinstance(place, Variable)))
        self._slots: dict[BoundPlace, int] = {term: number for number, term in enumerate(self.constants)}
        self._distinct = distinct

    def slots(self, places: Iterable[BoundPlace]) -> tuple[int, ...]:
        return tuple(self._slots[place] for place in places)

    def steps(self, patterns: Sequence[BoundPattern], places: Iterable[int]) -> Iterator[tuple[int, Step]]:
        """The patterns at these places as steps, the one that the known terms narrow most always next."""
        remaining = list(places)
        while remaining:
            # The first of the best, so that a plan does not depend on anything but the patterns.
            place = max(remaining, key=lambda place: self._narrowing(patterns[place]))
            remaining.remove(place)
            yield place, self._step(patterns[place])

    def match(self, pattern: BoundPattern) -> Match:
        """Fill slots with the variables of the pattern that have none yet."""
        known = set(self._slots)
        constants, equal = unification(pattern)
        new = {place: column for column, place in reversed(list(enumerate(pattern))) if place not in known}
        for place in sorted(new, key=lambda place: new[place]):
            self._slots[place] = len(self._slots)
        distinct = tuple(
            (self._slots[left], self._slots[right])
            for left, right in self._distinct
            if {left, right} <= self._slots.keys() and not {left, right} <= known
        )
        return Match(
            constants=constants,
            equal=tuple(pair for pair in equal if pattern[pair[0]] in new),
            taken=tuple(sorted(new.values())),
            distinct=distinct,
        )

    def _narrowing(self, pattern: BoundPattern) -> int:
        return sum(gain for place, gain in zip(pattern, _NARROWING, strict=True) if place in self._slots)

    def _step(self, pattern: BoundPattern) -> Step:
        subject, predicate, object_ = (place in self._slots for place in pattern)
        bound = self.slots(place for place in pattern if place in self._slots)
        # The look-up itself sees to what is bound.
        return Step((subject, predicate, object_), bound, self.match(pattern))
