"""Two-sided search: reads the facts around both ends, until every path that is wanted is made of facts that were read.

From each side, terms get labels: a length and a bound of the product. A label covers every way to its term that is no
shorter and no heavier. It passes the facts around its term heaviest first, so that those to come are bounded as well.

The textbook rule, to stop once what is to come on both sides together is lighter than the best path found, is wrong
here: it takes all facts around a labelled term as read. What holds is this. Follow an unknown path from the start, as
long as a label that covers it has passed its next fact; then the next term has such a label, too. It ends at a term x
with a label of length a and weight A that has not passed the next fact, and what is to come there has a bound f.
Followed from the goal, the path ends likewise at y with b, B and g. All facts up to x and from y on are read, and the
path is unknown, so x comes before y. Then the path has at least a + b + 1 facts, and weighs at most f, and at most
A * g. If these bounds, with the heaviest g for each b, all come after the last wanted path, no unknown path that is
wanted ends at x: what is to come there is left for good. The same holds for y. Once one side has nothing to come, all
wanted paths are known.

Where labels of both sides meet, there is a walk of their lengths and, but for rounding, of their product. A walk
contains a simple path that is no longer and no lighter. So if one path is wanted, it comes no later than that.

Once some facts are known, all facts of paths of a great weight are read level by level, then of a smaller one, and so
on: see `triples.query.path_levels`. As soon as k paths are as heavy as that, they are the best. Where the facts of a
weight are too many, the search goes on, until it knows a heavier path or has all that are wanted.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from triples.query.blocks import Clock, OutOfTime, Streams, TooMany
from triples.query.known_paths import Graph, known_paths
from triples.query.lookups import JoiningSource
from triples.query.path_facts import Path, PathQuestion, Rank, product_bound
from triples.query.path_levels import Known, wanted_steps
from triples.query.path_reach import Reach
from triples.query.path_side import Label, Side, Unread

# The known paths are searched again when the number of facts read has grown by this factor.
_GROWTH = 1.5
# The same where they are looked at only in case that time runs out.
_GROWTH_OF_ONE = 4
# With so many facts known, those that are still wanted are read level by level. The better the paths that are known,
# the fewer these are.
_FEW, _KNOWN = 300, 600
# In the order of weights, those of paths of so much weight are read first, which are fewer, as soon as some facts are
# known. Where k paths are as heavy, these are the best.
_SOME = 100
_HEAVY = (0.98, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
# A label's bound exceeds the product of its facts by far less than this factor, except where it is hardly a number.
_ROUNDED = 1 - 1e-9
_FAR_FROM_NOTHING = 1e-290


class Paths(NamedTuple):
    """The best paths, in order. If time ran out, they are an exact beginning.

    Then every path that is heavier than `complete_above` is among them, or, in the order of lengths, every path of at
    most `complete_within` facts.
    """

    paths: list[Path]
    complete_above: float | None = None
    complete_within: int | None = None


def best_paths(question: PathQuestion, source: JoiningSource, *, expired: Callable[[], bool] = lambda: False) -> Paths:
    """The k best simple paths. Ties are broken by the steps: by the term that each leads to, then by its predicate."""
    return _Search(question, source, expired).run()


class _Search:
    def __init__(self, question: PathQuestion, source: JoiningSource, expired: Callable[[], bool]) -> None:
        self._question = question
        self._clock = Clock(expired)
        self._source = source
        streams = Streams(source, self._clock)
        self._forward = Side(question, streams, forward=True)
        self._backward = Side(question, streams, forward=False)
        self._graph: Graph = {}
        self._known = 0
        # Of the last look at the known paths: what it found, and how many steps were known.
        self._found = Paths([], 1.0, 0)
        self._looked_at = 0
        # Whether labels of both sides have met. Before they do, there is nothing to look at.
        self._met = False
        self._nearest = False
        # The best path comes no later than this, if one is wanted.
        self._limit: Rank | None = None
        # Whether levels were tried, of heavy paths and of all that are wanted.
        self._by_heavy_level = question.order == "length"
        self._by_level = False
        # Facts of paths of this weight are too many.
        self._too_light = 0.0

    def run(self) -> Paths:
        try:
            while self._forward and self._backward:
                if self._forward.read_facts <= self._backward.read_facts:
                    self._read(self._forward, self._backward)
                else:
                    self._read(self._backward, self._forward)
                if self._known >= _SOME and not self._by_level and (paths := self._paths_by_level()) is not None:
                    return Paths(paths)
                if self._known >= self._looked_at * (_GROWTH if self._limit is None else _GROWTH_OF_ONE):
                    self._look()
            return Paths(self._known_paths())
        except OutOfTime:
            return self._certain()

    def _read(self, side: Side, other: Side) -> None:
        # In the order of weights, that there is no path at all would be found out last. So until there is one, every
        # other read is of what is nearest.
        self._nearest = not self._nearest and self._limit is None and not self._found.paths
        unread = side.take("length" if self._nearest else self._question.order)
        if unread is None:
            return
        if not self._is_wanted(unread, other.tops()):
            side.leave(unread)
            return
        steps, reached = side.read(unread)
        self._known += len(steps)
        for step in steps:
            self._graph.setdefault(step.start, {})[step.key] = step
        for term, label in reached:
            self._clock.tick()
            others = other.labels.get(term, ())
            if side.reach(term, label) and others and self._meets(label, others):
                if not self._met:
                    self._met = True
                    self._looked_at = 0
                if self._question.k == 1:
                    self._bound(label, others)

    def _bound(self, label: Label, others: Iterable[Label]) -> None:
        """Take a way from end to end as a bound of the best path."""
        for other in others:
            weight, length = product_bound(label.weight, other.weight), label.length + other.length
            # Of nothing but ones, a product is exact.
            weight = weight if weight == 1 else weight * _ROUNDED
            if length > self._question.max_length or weight < max(self._question.least_weight, _FAR_FROM_NOTHING):
                continue
            rank = self._question.rank(weight, length)
            if self._limit is None or rank < self._limit:
                self._limit = rank
                for side in (self._forward, self._backward):
                    if self._question.order == "weight":
                        side.least_weight = weight
                    else:
                        side.longest = length

    @property
    def _is_time_for_levels(self) -> bool:
        """True if it is known how good a path must be to be wanted, or that there may be none."""
        if not self._met:
            return self._known >= _FEW and not self._too_light
        if self._known < _KNOWN or (self._limit is None and len(self._found.paths) < self._question.k):
            return False
        return not self._too_light or self._least_weight > self._too_light

    @property
    def _least_weight(self) -> float:
        """In the order of weights, no lighter path is wanted, as far as is known."""
        if self._limit is not None:
            return -self._limit[0]
        paths = self._found.paths
        return paths[-1].weight if len(paths) >= self._question.k else self._question.least_weight

    def _paths_by_level(self) -> list[Path] | None:
        """The wanted paths; None if it is too early to read all facts of them, or these are too many."""
        if not self._by_heavy_level:
            self._by_heavy_level = True
            for weight in self._heavy():
                question = replace(self._question, min_weight=weight)
                try:
                    known = self._read_steps(weight, question.max_length)
                except TooMany:
                    # So are those of lighter paths.
                    self._too_light = weight
                    break
                paths = known_paths(question, known.graph, known.reach, self._clock)
                if len(paths) == question.k:
                    return paths
        if self._is_time_for_levels:
            self._by_level = True
            with suppress(TooMany):
                known = self._wanted_steps()
                return known_paths(self._question, known.graph, known.reach, self._clock)
        return None

    def _heavy(self) -> Iterator[float]:
        """Weights of paths, from great to small, that leave more and more of the facts aside, as far as is known."""
        weights = [step.fact.weight for steps in self._graph.values() for step in steps.values()]
        aside = len(weights)
        for least in _HEAVY:
            lighter = sum(weight < least for weight in weights)
            if least > self._least_weight and 0 < lighter < aside:
                aside = lighter
                yield least

    def _wanted_steps(self) -> Known:
        """The steps of all wanted paths, as far as is known how good these must be. TooMany if they are too many."""
        limit, found = self._limit, self._found.paths
        if limit is None and len(found) >= self._question.k:
            limit = self._question.rank(found[-1].weight, len(found[-1].steps))
        least, longest = self._question.least_weight, self._question.max_length
        if limit is not None and self._question.order == "weight":
            least = -limit[0]
            # Of the heaviest that there can be, no longer one is wanted.
            longest = int(limit[1]) if least == 1 else longest
        elif limit is not None:
            longest = int(limit[0])
        if limit is not None and self._question.order == "length" and self._question.k == 1 and longest > 1:
            shorter = self._read_steps(least, longest - 1)
            # If there is no shorter path, it is the heaviest of those as long.
            return shorter if shorter.graph else self._read_steps(-limit[1], longest)
        return self._read_steps(least, longest)

    def _read_steps(self, least_weight: float, longest: int) -> Known:
        return wanted_steps(self._question, self._source, self._clock, least_weight=least_weight, longest=longest)

    def _is_wanted(self, unread: Unread, tops: Iterable[float]) -> bool:
        return any(self._may_count(weight, length) for weight, length in self._bounds(unread, tops))

    def _bounds(self, unread: Unread, tops: Iterable[float]) -> list[tuple[float, int]]:
        """Bounds of the weight and the length of paths that neither side has read: of all that begin with this part."""
        return [
            (min(unread.weight, product_bound(unread.label.weight, top)), length)
            for length, top in enumerate(tops, start=unread.label.length + 1)
            if top > 0 and length <= self._question.max_length
        ]

    def _meets(self, label: Label, others: Iterable[Label]) -> bool:
        return any(
            label.length + other.length <= self._question.max_length
            and self._may_count(product_bound(label.weight, other.weight), label.length + other.length)
            for other in others
        )

    def _may_count(self, weight: float, length: int) -> bool:
        """True if such a path would be wanted, as far as is known."""
        if weight < self._question.least_weight:
            return False
        if self._limit is not None and self._question.rank(weight, length) > self._limit:
            return False
        paths = self._found.paths
        if len(paths) < self._question.k:
            return True
        return self._question.rank(weight, length) <= self._question.rank(paths[-1].weight, len(paths[-1].steps))

    def _known_paths(self) -> list[Path]:
        reach = Reach(self._backward.labels, self._backward.beyond())
        return known_paths(self._question, self._graph, reach, self._clock)

    def _look(self) -> None:
        self._looked_at = self._known
        self._found = Paths(self._known_paths() if self._met else [], *self._unknown())

    def _unknown(self) -> tuple[float, int]:
        """The greatest weight of a path that is not known, and a length that all of them exceed."""
        tops = self._backward.tops()
        bounds = [bound for unread in self._forward.unread() for bound in self._bounds(unread, tops)]
        heaviest = max((weight for weight, _ in bounds), default=0.0)
        return heaviest, min((length for _, length in bounds), default=self._question.max_length + 1) - 1

    def _certain(self) -> Paths:
        """The part of the last look that is certain."""
        paths, above, within = self._found
        assert above is not None
        assert within is not None
        if self._question.order == "weight":
            return Paths([path for path in paths if path.weight > above], above, None)
        return Paths([path for path in paths if len(path.steps) <= within], None, within)
