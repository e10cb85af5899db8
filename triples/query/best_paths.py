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

This reads facts around one term at a time. So before it, all facts of the paths of a great weight are read together,
then those of a smaller one, and so on: see `triples.query.path_rounds`. Only where these are too many, the search goes
on like this, and once it knows how good a path must be, it tries again.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress

from triples.query.blocks import Clock, OutOfTime, Streams, TooMany
from triples.query.known_paths import Graph, known_paths
from triples.query.lookups import JoiningSource
from triples.query.path_facts import Path, PathQuestion, Paths, Rank, product_bound
from triples.query.path_limit import Limit
from triples.query.path_reach import Reach
from triples.query.path_rounds import Rounds
from triples.query.path_side import Label, Side, Unread
from triples.weights import FAR_FROM_NOTHING, ROUNDED_DOWN

# The known paths are searched again when the number of facts read has grown by this factor.
_GROWTH = 1.5
# The same where they are looked at only in case that time runs out.
_GROWTH_OF_ONE = 4
# With so many facts known, those that are still wanted are read together. The better the paths that are known, the
# fewer these are.
_KNOWN = 600


def best_paths(question: PathQuestion, source: JoiningSource, *, expired: Callable[[], bool] = lambda: False) -> Paths:
    """The k best simple paths. Ties are broken by the steps: by the term that each leads to, then by its predicate."""
    clock = Clock(expired)
    rounds = Rounds(question, source, clock)
    try:
        return rounds.best_paths()
    except TooMany:
        return _Search(question, source, clock, rounds).run()


class _Search:
    def __init__(self, question: PathQuestion, source: JoiningSource, clock: Clock, rounds: Rounds) -> None:
        self._question = question
        self._clock = clock
        self._rounds = rounds
        streams = Streams(source, clock)
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
        self._tried_again = False

    def run(self) -> Paths:
        try:
            while self._forward and self._backward:
                if self._forward.read_facts <= self._backward.read_facts:
                    self._read(self._forward, self._backward)
                else:
                    self._read(self._backward, self._forward)
                if self._is_time_to_try_again and (paths := self._read_together()) is not None:
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
            weight = weight if weight == 1 else weight * ROUNDED_DOWN
            if length > self._question.max_length or weight < max(self._question.least_weight, FAR_FROM_NOTHING):
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
    def _is_time_to_try_again(self) -> bool:
        """True if it is known how good a path must be to be wanted, and that is better than when it was tried."""
        if self._tried_again or self._known < _KNOWN:
            return False
        worst = self._worst_wanted
        return worst is not None and worst < self._rounds.tried

    @property
    def _worst_wanted(self) -> Rank | None:
        """No path that comes later is wanted, as far as is known."""
        paths = self._found.paths
        if len(paths) < self._question.k:
            return self._limit
        last = self._question.rank(paths[-1].weight, len(paths[-1].steps))
        return last if self._limit is None else min(last, self._limit)

    def _read_together(self) -> list[Path] | None:
        """The wanted paths; None if all facts of them are too many."""
        self._tried_again = True
        worst = self._worst_wanted
        assert worst is not None
        with suppress(TooMany):
            known = self._rounds.known(Limit.of(self._question, worst))
            return known_paths(self._question, known.graph, known.reach, self._clock)
        return None

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
        worst = self._worst_wanted
        return worst is None or self._question.rank(weight, length) <= worst

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
