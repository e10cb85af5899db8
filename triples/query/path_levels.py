"""All facts of the paths that are wanted, read level by level from both ends, once it is known how good they must be.

A level is one statement for each kind of fact. A label of a term says that no walk of at most so many facts that leads
there is heavier. Facts that would make the product too light are left. If the levels of both sides together are as many
as a path may have facts, every fact of a wanted path is read: the first ones from one side, the last ones from the
other.
"""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from triples.query.blocks import Clock, Fact, TooMany
from triples.query.known_paths import Graph
from triples.query.lookups import JoinedRow, JoiningSource, Lookup
from triples.query.path_facts import Kind, PathQuestion, PathStep, product_bound, step_of
from triples.query.path_reach import Reach
from triples.query.path_side import Label
from triples.recursion.programs import Key

# The most facts that are read: beyond them, to follow the heaviest first is better.
MOST_READ = 40_000
# Rows that are looked at without a pause.
_ROWS = 256
# The terms of a level are read in groups by their weight.
_GROUPS, _SMALLEST_GROUP = 8, 32
_ROUNDING = 1 - 1e-9


class Known(NamedTuple):
    """The steps of all wanted paths, and bounds of what is left from a term."""

    graph: Graph
    reach: Reach


def wanted_steps(
    question: PathQuestion, source: JoiningSource, clock: Clock, *, least_weight: float, longest: int
) -> Known:
    """The steps of all paths of at least this weight and at most so many facts; TooMany if too much must be read."""
    forward = _Side(question, least_weight, forward=True)
    backward = _Side(question, least_weight, forward=False)
    left = MOST_READ
    while forward.levels + backward.levels < longest:
        side, other = (
            (forward, backward) if forward.cost(source, left) <= backward.cost(source, left) else (backward, forward)
        )
        left -= side.read_level(source, clock, left)
        if question.k == 1:
            for weight, length in side.meetings(other, longest):
                if question.order == "length" or weight == 1:
                    longest = min(longest, length)
                elif weight > least_weight:
                    least_weight = weight * _ROUNDING
                    forward.least_weight = backward.least_weight = least_weight
    meeting = forward.best.keys() & backward.best.keys()
    graph: Graph = {}
    for side in (forward, backward):
        for step in side.steps_to(meeting):
            graph.setdefault(step.start, {})[step.key] = step
    ends = {step.end for steps in graph.values() for step in steps.values()}
    beyond = [0.0] * question.max_length
    if backward.levels < question.max_length:
        beyond[backward.levels] = max(backward.frontier.values(), default=0.0)
    return Known(graph, Reach({term: backward.labels(term) for term in ends}, beyond))


class _Side:
    """The terms that are reached from one end."""

    def __init__(self, question: PathQuestion, least_weight: float, *, forward: bool) -> None:
        self.levels = 0
        # The terms whose label is of this level, and its weight.
        self.frontier: dict[int, float] = {question.start if forward else question.goal: 1.0}
        # The labels of each level, and the greatest weight of each term's labels.
        self._reached = [dict(self.frontier)]
        self.best = dict(self.frontier)
        # Terms, others, and what was read of the facts between them.
        self._reads: list[tuple[int, int, Kind, JoinedRow]] = []
        # How many facts the next level has, once it is known.
        self._cost: int | None = None
        self._forward = forward
        self._kinds = question.kinds(forward=forward)
        self._other_end = question.goal if forward else question.start
        # What is lighter is left.
        self.least_weight = least_weight

    def cost(self, source: JoiningSource, most: int) -> int:
        """How many facts the next level has, or any number above `most`."""
        if self._cost is None:
            self._cost = 0
            for group, least in self._groups():
                for kind in self._kinds:
                    if self._cost <= most:
                        rows = [(term,) for term, _ in group]
                        self._cost += source.joined_number([_lookup(kind)], rows, [least], most + 1)
        return self._cost

    def _groups(self) -> Iterator[tuple[Sequence[tuple[int, float]], float]]:
        """The terms of the frontier, the heaviest first, with the least weight of facts that are wanted of them."""
        begins = sorted(self.frontier.items(), key=itemgetter(1), reverse=True)
        # The lighter a label, the heavier must its facts be.
        size = max(len(begins) // _GROUPS + 1, _SMALLEST_GROUP)
        for begin in range(0, len(begins), size):
            group = begins[begin : begin + size]
            yield group, min(self.least_weight / group[0][1], 1.0) * _ROUNDING

    def read_level(self, source: JoiningSource, clock: Clock, most: int) -> int:
        """Read the facts around the terms of the frontier; how many. TooMany if they are more than that."""
        if self.cost(source, most) > most:
            raise TooMany
        reached: dict[int, float] = {}
        read = 0
        for group, least in self._groups():
            rows = [(term,) for term, _ in group]
            for kind in self._kinds:
                clock.check()
                found = source.joined([_lookup(kind)], rows, [least], most + 1)
                read += len(found)
                clock.keep(len(found))
                self._take(kind, group, found, reached, clock)
        self.levels += 1
        self._reached.append(reached)
        self.frontier = {term: weight for term, weight in reached.items() if term != self._other_end}
        self._cost = None
        return read

    def meetings(self, other: "_Side", longest: int) -> Iterator[tuple[float, int]]:
        """The weights and lengths of ways from end to end, by the labels of this level."""
        reached = self._reached[-1]
        for length, others in enumerate(other._reached[: longest - self.levels + 1]):
            for term in reached.keys() & others.keys():
                yield product_bound(reached[term], others[term]), self.levels + length

    def labels(self, term: int) -> list[Label]:
        """The labels of a term: each level's is heavier than those of fewer facts."""
        return [Label(length, reached[term]) for length, reached in enumerate(self._reached) if term in reached]

    def _take(
        self,
        kind: Kind,
        begins: Sequence[tuple[int, float]],
        rows: Sequence[JoinedRow],
        reached: dict[int, float],
        clock: Clock,
    ) -> None:
        end, best, reads, least = _end(kind), self.best, self._reads, self.least_weight
        # Most facts of light labels are told from those that are wanted by a plain product.
        nearly = least * _ROUNDING
        for first in range(0, len(rows), _ROWS):
            part = rows[first : first + _ROWS]
            clock.passed(len(part))
            for row in part:
                term, weight = begins[row[0]]
                other, own = row[end], row[-2]
                if weight == 1:
                    weight = own
                elif own != 1:
                    if weight * own < nearly:
                        continue
                    weight = product_bound(weight, own)
                if weight >= least and other != term:
                    reads.append((term, other, kind, row))
                    if weight > best.get(other, 0.0):
                        best[other] = reached[other] = weight

    def steps_to(self, meeting: Iterable[int]) -> list[PathStep]:
        """The steps between this end and those terms."""
        kept = set(meeting)
        for _ in range(self.levels if kept else 0):
            kept.update([term for term, other, _kind, _row in self._reads if other in kept])
        return [self._step(*read) for read in self._reads if read[1] in kept and read[0] in kept]

    def _step(self, term: int, other: int, kind: Kind, row: JoinedRow) -> PathStep:
        is_subject, given = kind
        predicate = row[3 - _end(kind)] if given is None else given
        key = Key(term, predicate, other) if is_subject else Key(other, predicate, term)
        return step_of(Fact(key, row[-2], row[-1]), is_subject=is_subject, forward=self._forward)


def _end(kind: Kind) -> int:
    """The column of a row with the term that a fact leads to. The other one of the first two has its predicate."""
    is_subject, predicate = kind
    return 2 if is_subject and predicate is None else 1


def _lookup(kind: Kind) -> Lookup:
    """The look-up of the facts around a term."""
    is_subject, predicate = kind
    own, other = (0, 2) if is_subject else (2, 0)
    return Lookup((None, predicate, None), ((own, 0),), (other,), ())
