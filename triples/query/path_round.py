"""All facts of the paths that are wanted, read around the terms that are reached from both ends, once a limit is given.

From each end, terms get labels: a length and a bound of the product. A label covers every way to its term that is no
shorter and no heavier. Opening a label reads the facts around its term, as far down in weight as a wanted path could
use them, and gives labels to their other ends. Opening goes on while there are unopened labels of both ends, (a, A) and
(b, B), so that a path of a + b + 1 facts and the weight A * B would be wanted. The cheapest is opened first.

Then all facts of each wanted path P are known. Follow P from the start, as long as a label that covers it has passed
its next fact; it ends at a term x with a label (a, A) that covers the way there, but has not passed the next fact, e.
Followed from the goal, it ends likewise at y with (b, B). If a fact of P is not known, x comes before y: P has at least
a + b + 1 facts, and weighs at most A * e * B. Either both labels are unopened, but then opening has not ended. Or one
was opened, say that of x, and e is lighter than what was read. That was decided with the greatest weights of the
unopened labels of the other end by their lengths. The label of y was among them, or comes from one that was, which is
as short and as heavy; so A * e * B is too light. Or it was opened before, without passing its fact of P. But when that
was decided, the label of x was unopened, or that which it comes from, so P is too light for the same reason.

If there is no room for a further term between x and y, it may cost less to look up the facts between all terms like x
and all like y, which a database finds by its index of keys. Then neither is opened: if x and y are next to each other
in P, all facts of P are known, and otherwise P has at least a + b + 2 facts, so it is not wanted.

A hub is a term with many facts. Rather than open it, the other end goes on, as long as this costs less. Then the facts
between hubs and what is unopened at the other end are looked up, and the terms between hubs of both ends. If P has such
a fact or term between x and y, all facts of P are known. Otherwise x and y are farther apart, and P has at least
a + b + 2 facts, or a + b + 3 if both are hubs: as long as such a path would be wanted, one of them is opened.
"""

from collections.abc import Iterator, Sequence

from triples.query.blocks import TooMany
from triples.query.path_end import End, Hub
from triples.query.path_facts import PathQuestion, product_bound
from triples.query.path_limit import Limit
from triples.query.path_openings import Opening, cheapest_opening
from triples.query.path_reads import ReadFact, Reads
from triples.query.path_steps import Known, known_steps
from triples.weights import least_rest

# The most facts that are read in a round: beyond them, to follow the heaviest first is better.
MOST_READ = 40_000
# With a hub of so many facts, rounds go in smaller steps.
_MANY = 1_000
# Up to this length, all facts around lights are read at once.
_NEAR = 1
# Many terms are read in groups by their weight: the lighter a label, the heavier must its facts be.
_GROUPS, _SMALLEST_GROUP = 8, 256


class Round:
    """Finds all facts of the paths that are wanted."""

    def __init__(
        self, question: PathQuestion, reads: tuple[Reads, Reads], limit: Limit, *, tried: float | None = None
    ) -> None:
        """There is no path that weighs as much as was `tried`. None if that is not known."""
        self._tried = tried
        self._question = question
        self._reads = reads
        self._limit = limit
        longest = limit.longest
        self._ends = (End(question.start, question.goal, longest), End(question.goal, question.start, longest))
        self._left = MOST_READ

    def wanted_steps(self) -> Known:
        """TooMany if too much must be read."""
        looked_up = self._question.k > 1
        kinds = len(self._question.kinds(forward=True))
        while (opening := cheapest_opening(self._ends, self._limit, kinds)) is not None:
            if opening.hub and not looked_up:
                # Perhaps a path is found, so that fewer facts of the hub are wanted.
                looked_up = True
                self._look_up(last=False)
            elif opening.hub and opening.cost > _MANY and self._tried is not None:
                # A round for half of the paths needs far fewer of them.
                self._limit.raise_to((self._limit.least(0) + self._tried) / 2)
                self._tried = None
            else:
                self._open(opening)
        self._look_up(last=True)
        self._look_up_through()
        return known_steps(self._question, self._ends, self._limit)

    def _need(self, side: int, length: int) -> float:
        """No lighter walk of so many facts from this end is part of a wanted path that is not known."""
        other = self._ends[1 - side]
        tops = [(other.top(b), self._limit.least(length + b)) for b in range(self._limit.longest - length + 1)]
        return min([least_rest(least, top) for top, least in tops if top > 0], default=2.0)

    def _open(self, opening: Opening) -> None:
        _cost, forward, length, hub = opening
        side = 0 if forward else 1
        end, reads = self._ends[side], self._reads[side]
        need = self._need(side, length + 1)
        if hub:
            begins = {hub: end.hubs[length].pop(hub).weight}
        else:
            begins = end.take_lights(length, need)
            if begins:
                least = min(need / max(begins.values()), 1.0) if length > _NEAR else 0.0
                hubs = reads.hubs(begins, least)
                for term, facts in hubs.items():
                    end.hubs[length][term] = Hub(begins.pop(term), facts)
        for group in _groups(begins):
            # The next round will want more of those that are near the end.
            least = min(need / group[0][1], 1.0) if hub or length > _NEAR else 0.0
            self._left -= reads.read([term for term, _ in group], least, self._left)
            for term, weight in group:
                self._follow(side, term, weight, length + 1, need)

    def _follow(self, side: int, term: int, weight: float, length: int, need: float) -> None:
        end, other = self._ends[side], self._ends[1 - side]
        for fact in self._reads[side].around(term):
            own = fact.weight
            # Most light facts are told from those that are wanted by a plain product.
            if weight * own < need or fact.end in (term, end.term):
                continue
            end.lead(term, fact)
            self._reach(end, other, fact.end, length, product_bound(weight, own))

    def _reach(self, end: End, other: End, term: int, length: int, weight: float, *, opened: bool = False) -> None:
        if end.label(term, length, weight, opened=opened) and term in other.best:
            self._meet(other, term, length, weight)

    def _meet(self, other: End, term: int, length: int, weight: float) -> None:
        for beyond, labels in enumerate(other.labels[: self._limit.longest - length + 1]):
            if term in labels:
                self._limit.meet(product_bound(weight, labels[term]), length + beyond)

    def _look_up(self, *, last: bool) -> None:
        """Look up the facts between what is unopened at both ends.

        If anything is opened after it, they give no labels: those would take the place of labels to be opened.
        """
        for side in (0, 1):
            pairs, least = self._pairs(side)
            self._left -= len(pairs)
            if self._left < 0:
                raise TooMany
            if pairs:
                for term, fact in self._reads[side].between(list(pairs), least, self._left):
                    self._found(side, term, *pairs[term, fact.end], fact, last=last)
        if last:
            self._link()

    def _link(self) -> None:
        """Look up the facts between the lights of both ends."""
        one, other = self._ends
        for a in range(self._limit.longest):
            for b in range(self._limit.longest - a):
                top, least = other.light_tops[b], self._limit.least(a + b + 1)
                if not self._limit.wants(one.light_tops[a], top, a + b + 1):
                    continue
                near = {term: weight for term, weight in one.lights[a].items() if weight >= least_rest(least, top)}
                need = least_rest(least, one.light_tops[a])
                far = [term for term, weight in other.lights[b].items() if weight >= need]
                for term, fact in self._reads[0].linked(near, far, least_rest(need, top), self._left):
                    self._found(0, term, a, near[term], fact, last=True)

    def _pairs(self, side: int) -> tuple[dict[tuple[int, int], tuple[int, float]], float]:
        """Hubs of one end and what is unopened at the other, with the hub's label; and the least weight of facts."""
        end, other = self._ends[side], self._ends[1 - side]
        pairs: dict[tuple[int, int], tuple[int, float]] = {}
        least = 1.0
        for a, term, (weight, _facts) in self._hubs(end):
            for b in range(self._limit.longest - a):
                need = least_rest(self._limit.least(a + b + 1), weight)
                if other.top(b) < need:
                    continue
                beyond = other.unopened(b) if side == 0 else other.lights[b].items()
                found = [(far, bound) for far, bound in beyond if bound >= need]
                pairs.update({(term, far): (a, weight) for far, _ in found})
                least = min([least, *(least_rest(need, bound) for _, bound in found)])
        return pairs, least

    def _found(self, side: int, term: int, length: int, weight: float, fact: ReadFact, *, last: bool) -> None:
        """Take a fact that was looked up from a term with this label."""
        end, other = self._ends[side], self._ends[1 - side]
        bound = product_bound(weight, fact.weight)
        if last:
            end.lead(term, fact)
            self._reach(end, other, fact.end, length + 1, bound, opened=True)
        else:
            self._meet(other, fact.end, length + 1, bound)

    def _look_up_through(self) -> None:
        """Look up the terms between the hubs of both ends, each from the one with fewer facts."""
        pairs = [
            (-product_bound(one.weight, other.weight), a + b + 2, one.facts > other.facts, (a, x, one), (b, y, other))
            for a, x, one in self._hubs(self._ends[0])
            for b, y, other in self._hubs(self._ends[1])
            if x != y
        ]
        for product, length, side, one, other in sorted(pairs):
            need = least_rest(self._limit.least(length), -product)
            if need <= 1:
                self._join(side, *((other, one) if side else (one, other)), need)

    def _join(self, side: int, one: tuple[int, int, Hub], other: tuple[int, int, Hub], need: float) -> None:
        (length, term, hub), (_, far, _) = one, other
        ends = self._ends[side], self._ends[1 - side]
        for first, second in self._reads[side].through(term, far, need, self._left):
            if first.weight * second.weight >= need and first.end not in (term, far):
                ends[0].lead(term, first)
                ends[0].lead(first.end, second)
                weight = product_bound(hub.weight, first.weight)
                self._reach(*ends, first.end, length + 1, weight, opened=True)
                self._reach(*ends, far, length + 2, product_bound(weight, second.weight), opened=True)

    def _hubs(self, end: End) -> list[tuple[int, int, Hub]]:
        """The lengths and terms of unopened labels of hubs."""
        return [(length, term, hub) for length, hubs in enumerate(end.hubs) for term, hub in hubs.items()]


def _groups(begins: dict[int, float]) -> Iterator[Sequence[tuple[int, float]]]:
    """The terms, the heaviest first."""
    ordered = sorted(begins.items(), key=lambda one: -one[1])
    size = max(len(ordered) // _GROUPS + 1, _SMALLEST_GROUP)
    for begin in range(0, len(ordered), size):
        yield ordered[begin : begin + size]
