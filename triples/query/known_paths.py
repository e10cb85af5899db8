"""The best simple paths among facts in memory.

The best path is found, then the best that leaves it at each of its terms, and so on, each family of paths once (Lawler,
Management Science 18, 1972, after Yen). Within a family the search is best-first: partial paths are ordered by a bound
that no path grown from them comes before. At each term, a partial path gives way to another that cannot do worse with
the same continuation. Since a way around costs facts and gains no weight, the best walk of a family is simple.
"""

from bisect import insort
from collections.abc import Set as AbstractSet
from heapq import heappop, heappush
from math import inf, prod
from typing import NamedTuple

from triples.query.blocks import Clock
from triples.query.path_facts import Path, PathQuestion, PathStep, Rank, StepKey, product_bound
from triples.query.path_reach import Reach

# The steps from each term.
Graph = dict[int, dict[StepKey, PathStep]]

# If one product is greater than another by this factor, no rounding of further products can make them equal.
_CLEARLY = 1 + 1e-12

Walked = tuple[StepKey, ...]
_LAST: Rank = (inf, inf)


class _Partial(NamedTuple):
    term: int
    weight: float
    steps: tuple[PathStep, ...]
    walked: Walked


class _Family(NamedTuple):
    """The paths that begin with these steps and do not go on with the banned ones."""

    steps: tuple[PathStep, ...]
    banned: AbstractSet[StepKey]


def known_paths(question: PathQuestion, graph: Graph, reach: Reach, clock: Clock) -> list[Path]:
    """The k best paths. Ties are broken by the steps: first by the term that one leads to, then by the predicate."""
    found: list[Path] = []
    waiting: list[tuple[Rank, Walked, Path, _Family]] = []
    # Of all paths so far. What comes after k of them is not wanted.
    ranks: list[Rank] = []

    def add(family: _Family) -> None:
        limit = ranks[question.k - 1] if len(ranks) >= question.k else _LAST
        path = _Search(question, graph, reach, clock, limit).best(family)
        if path is not None:
            rank = question.rank(path.weight, len(path.steps))
            insort(ranks, rank)
            heappush(waiting, (rank, tuple([step.key for step in path.steps]), path, family))

    add(_Family((), frozenset()))
    while waiting and len(found) < question.k:
        _rank, _walked, path, family = heappop(waiting)
        found.append(path)
        if len(found) == question.k:
            break
        for length in range(len(family.steps), len(path.steps)):
            banned = family.banned if length == len(family.steps) else frozenset()
            add(_Family(path.steps[:length], banned | {path.steps[length].key}))
    return found


class _Search:
    """The search for the best path of a family."""

    def __init__(self, question: PathQuestion, graph: Graph, reach: Reach, clock: Clock, limit: Rank) -> None:
        self._question = question
        self._graph = graph
        self._reach = reach
        self._clock = clock
        # What ranks after this is not wanted.
        self._limit = limit
        self._heap: list[tuple[Rank, Walked, _Partial]] = []
        # For each term, the partial paths that lead there.
        self._best: dict[int, list[_Partial]] = {}

    def best(self, family: _Family) -> Path | None:
        begin = family.steps[-1].end if family.steps else self._question.start
        passed = {self._question.start, *(step.end for step in family.steps)}
        weight = prod([step.fact.weight for step in family.steps], start=1.0)
        self._grow(_Partial(begin, weight, family.steps, ()), passed, family.banned)
        while self._heap:
            partial = heappop(self._heap)[2]
            if partial.term == self._question.goal:
                return Path(partial.weight, partial.steps)
            if partial in self._best[partial.term]:
                self._grow(partial, passed, frozenset())
        return None

    def _grow(self, partial: _Partial, passed: AbstractSet[int], banned: AbstractSet[StepKey]) -> None:
        length = len(partial.steps) + 1
        left = self._question.max_length - length
        if left < 0:
            return
        for key, step in self._graph.get(partial.term, {}).items():
            self._clock.tick()
            if step.end in passed or key in banned:
                continue
            weight = partial.weight * step.fact.weight
            bound = product_bound(weight, self._reach.weight(step.end, left))
            rank = self._question.rank(bound, length + self._reach.length(step.end))
            if bound < self._question.least_weight or rank > self._limit:
                continue
            if step.end == self._question.goal:
                self._limit = rank
            grown = _Partial(step.end, weight, (*partial.steps, step), (*partial.walked, key))
            if self._is_best(grown):
                heappush(self._heap, (rank, grown.walked, grown))

    def _is_best(self, partial: _Partial) -> bool:
        """True if no other partial path to this term makes it needless; then it is kept, and those that it does go."""
        others = self._best.setdefault(partial.term, [])
        if any(_is_better(other, partial) for other in others):
            return False
        others[:] = [other for other in others if not _is_better(partial, other)]
        others.append(partial)
        return True


def _is_better(one: _Partial, other: _Partial) -> bool:
    """True if any continuation is better after the one than after the other, after all roundings and with all ties."""
    if len(one.steps) > len(other.steps) or one.weight < other.weight:
        return False
    return len(one.steps) < len(other.steps) or one.walked < other.walked or one.weight > other.weight * _CLEARLY
