"""One end of the paths in a round: the terms that are reached from it, and which of them are still unopened."""

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from triples.query.path_facts import product_bound
from triples.query.path_reads import ReadFact


class Hub(NamedTuple):
    """A term with many facts: its label's weight, and how many facts there are to read."""

    weight: float
    facts: int


class End:
    """Labels and what they rest on. A label says that no walk of at most so many facts that leads there is heavier."""

    def __init__(self, term: int, other: int, longest: int) -> None:
        self.term = term
        # For each length, the weights of the labels; of these, those of terms whose facts have not been read.
        self.labels: list[dict[int, float]] = [{} for _ in range(longest + 1)]
        self.lights: list[dict[int, float]] = [{} for _ in range(longest + 1)]
        self.hubs: list[dict[int, Hub]] = [{} for _ in range(longest + 1)]
        # The greatest weight of the lights of each length; since when some have gone, perhaps less.
        self.light_tops = [0.0] * (longest + 1)
        self.best: dict[int, float] = {}
        # For each term, the facts that lead there, each with the term at its near end.
        self._into: dict[int, list[tuple[int, ReadFact]]] = {}
        # A simple path ends there.
        self._other = other
        self.label(term, 0, 1.0)

    def hub_top(self, length: int) -> float:
        hubs = self.hubs[length]
        return max([hub.weight for hub in hubs.values()]) if hubs else 0.0

    def top(self, length: int) -> float:
        """The greatest weight of an unopened label."""
        return max(self.light_tops[length], self.hub_top(length))

    def weight_within(self, term: int, length: int) -> float:
        """The weight of the label of at most this length; 0 if there is none."""
        return max([labels.get(term, 0.0) for labels in self.labels[: length + 1]])

    def lead(self, near: int, fact: ReadFact) -> None:
        self._into.setdefault(fact.end, []).append((near, fact))

    def label(self, term: int, length: int, weight: float, *, opened: bool = False) -> bool:
        """Add a label, unless the term has one that is no longer and no lighter."""
        best = self.best.get(term, 0.0)
        if weight <= best and self.weight_within(term, length) >= weight:
            return False
        self.labels[length][term] = weight
        self.best[term] = max(best, weight)
        if not opened and term != self._other:
            self.lights[length][term] = weight
            self.light_tops[length] = max(self.light_tops[length], weight)
            if best:
                self._drop_worse(term, length, weight)
        return True

    def _drop_worse(self, term: int, length: int, weight: float) -> None:
        for longer in range(length + 1, len(self.lights)):
            if self.lights[longer].get(term, 2.0) <= weight:
                del self.lights[longer][term]
                if not self.lights[longer]:
                    self.light_tops[longer] = 0.0
            elif term in self.hubs[longer] and self.hubs[longer][term].weight <= weight:
                del self.hubs[longer][term]

    def take_lights(self, length: int, least: float) -> dict[int, float]:
        """Take out the lights of this length whose labels have at least this weight."""
        lights = self.lights[length]
        taken = {term: weight for term, weight in lights.items() if weight >= least}
        kept = {term: weight for term, weight in lights.items() if weight < least}
        self.lights[length], self.light_tops[length] = kept, max(kept.values(), default=0.0)
        return taken

    def unopened(self, length: int) -> Iterator[tuple[int, float]]:
        yield from self.lights[length].items()
        for term, hub in self.hubs[length].items():
            yield term, hub.weight

    def facts_to(self, rests: Iterable[tuple[int, float]], least: float) -> Iterator[tuple[int, ReadFact]]:
        """The facts of walks from this end to these terms, each with the term at its near end.

        Each term is given with a bound of the weight from there to the other end. Walks that are lighter in all than
        the least weight are left out.
        """
        heaviest = dict(rests)
        left = [(-weight, term) for term, weight in heaviest.items()]
        heapify(left)
        while left:
            negative, term = heappop(left)
            if -negative < heaviest[term]:
                continue
            for near, fact in self._into.get(term, ()):
                rest = product_bound(fact.weight, -negative)
                if product_bound(self.best[near], rest) < least:
                    continue
                yield near, fact
                if rest > heaviest.get(near, 0.0):
                    heaviest[near] = rest
                    heappush(left, (-rest, near))
