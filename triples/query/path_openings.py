"""The choice of what a round opens next: of all that has to be opened, the opening that costs least."""

from collections.abc import Iterator
from typing import NamedTuple

from triples.query.path_end import End
from triples.query.path_limit import Limit

# What opening a term that is no hub costs, and looking up whether there is a fact between two terms, or from any of
# some terms to any of others, for each of all these, in facts read.
_LIGHT, _LOOKED_UP, _LINKED = 16, 2, 1
# So many joins of hubs of both ends are made, rather than that their facts are read: one of a pair for each two kinds.
_JOINS = 16


class Opening(NamedTuple):
    """The terms around which facts are read next: all lights of a length, or one hub."""

    cost: int
    forward: bool
    length: int
    # No term has the id 0.
    hub: int = 0


def cheapest_opening(ends: tuple[End, End], limit: Limit, kinds: int) -> Opening | None:
    """None if nothing has to be opened any more: see `triples.query.path_round`. There are so many kinds of facts."""
    return min(_Openings(ends, limit, kinds).all(), default=None)


class _Openings:
    def __init__(self, ends: tuple[End, End], limit: Limit, kinds: int) -> None:
        self._kinds = kinds
        self._ends = ends
        self._limit = limit

    def all(self) -> Iterator[Opening]:
        one, other = self._ends
        hubs = [[end.hub_top(length) for length in range(self._limit.longest)] for end in self._ends]
        for a in range(self._limit.longest):
            lights, many = one.light_tops[a], hubs[0][a]
            if not lights and not many:
                continue
            for b in range(self._limit.longest - a):
                others, many_others = other.light_tops[b], hubs[1][b]
                length = a + b + 1
                if self._limit.wants(lights, others, length):
                    opening = min(self._lights(0, a), self._lights(1, b))
                    if self._limit.wants(lights, others, length + 1) or opening.cost < self._cost_of_links(a, b):
                        yield opening
                if self._limit.wants(lights, many_others, length):
                    yield from self._beside_hub(self._lights(0, a), self._hub(1, b, lights, length), length, lights)
                if self._limit.wants(many, others, length):
                    yield from self._beside_hub(self._lights(1, b), self._hub(0, a, others, length), length, others)
                if self._limit.wants(many, many_others, length + 1) and not self._are_joined(a, b, many, many_others):
                    yield min(self._hub(0, a, many_others, length + 1), self._hub(1, b, many, length + 1))

    def _beside_hub(self, lights: Opening, hub: Opening, length: int, top: float) -> Iterator[Opening]:
        """One of them, unless the facts between them can be looked up instead."""
        if self._limit.wants(self._ends[0 if hub.forward else 1].hub_top(hub.length), top, length + 1):
            yield min(lights, hub)
        elif lights.cost // _LIGHT * _LOOKED_UP > hub.cost:
            yield hub

    def _are_joined(self, a: int, b: int, top: float, other: float) -> bool:
        """True if what is between hubs of both ends can be looked up, and they are few."""
        pairs = len(self._ends[0].hubs[a]) * len(self._ends[1].hubs[b])
        return pairs * self._kinds**2 <= _JOINS and not self._limit.wants(top, other, a + b + 3)

    def _cost_of_links(self, a: int, b: int) -> int:
        return _LINKED * (len(self._ends[0].lights[a]) + len(self._ends[1].lights[b]))

    def _lights(self, side: int, length: int) -> Opening:
        return Opening(_LIGHT * len(self._ends[side].lights[length]), side == 0, length)

    def _hub(self, side: int, length: int, top: float, total: int) -> Opening:
        hubs = self._ends[side].hubs[length]
        wanted = [term for term, hub in hubs.items() if self._limit.wants(hub.weight, top, total)]
        term = min(wanted, key=lambda term: hubs[term].facts)
        return Opening(hubs[term].facts, side == 0, length, term)
