"""Counts of answers, in all or for each value. It goes through all answers, in no order."""

from collections.abc import Callable, Iterator, Sequence
from math import prod

from triples.query.answers import GroupCount
from triples.query.blocks import Clock, Source
from triples.query.join import Join
from triples.query.join_plan import plan_join
from triples.query.lookups import Terms
from triples.query.questions import Question


def count_answers(
    question: Question[int],
    order: Sequence[int],
    source: Source,
    *,
    limit: int,
    expired: Callable[[], bool] = lambda: False,
) -> int:
    """The number of different answers over the selection; if more than `limit`, one more. May raise OutOfTime."""
    found: set[Terms] = set()
    join = Join(plan_join(question, order, question.selected), source, Clock(expired))
    for terms, _weight in _All(join, found).answers():
        found.add(terms)
        if len(found) > limit:
            break
    return len(found)


def count_groups(
    question: Question[int], order: Sequence[int], source: Source, *, expired: Callable[[], bool] = lambda: False
) -> list[GroupCount]:
    """The groups of `group_by`, in any order; may raise OutOfTime."""
    select = (*question.group_by, *question.selected)
    width = len(question.group_by)
    join = Join(plan_join(question, order, select), source, Clock(expired))
    found: set[Terms] = set()
    counts: dict[Terms, int] = {}
    weights: dict[Terms, float] = {}
    for terms, weight in _All(join, set()).answers():
        group = terms[:width]
        weights[group] = max(weight, weights.get(group, 0.0))
        if terms not in found:
            join.clock.keep(1)
            found.add(terms)
            counts[group] = counts.get(group, 0) + 1
    return [GroupCount(group, count, weights[group]) for group, count in counts.items()]


class _All:
    """All answers, some of them more than once, except those over terms that are `known` already."""

    def __init__(self, join: Join, known: set[Terms]) -> None:
        self._join = join
        self._known = known
        self._plan = join.plan

    def answers(self) -> Iterator[tuple[Terms, float]]:
        greatest = self._join.greatest_weights()
        return iter(()) if greatest is None else self._grown((), greatest, 0)

    def _grown(self, terms: Terms, weights: tuple[float, ...], depth: int) -> Iterator[tuple[Terms, float]]:
        if depth == len(self._plan.steps):
            weight = prod(weights)
            for row in self._join.rows(terms):
                yield tuple([row[slot] for slot in self._plan.selected]), weight
            return
        step = self._plan.steps[depth]
        before, behind = weights[: step.place], weights[step.place + 1 :]
        stream = self._join.stream(step.lookup, terms)
        index = 0
        while stream.has(index):
            self._join.clock.tick()
            grown = (*before, stream.facts[index].weight, *behind)
            # The facts that follow are no heavier.
            if prod(grown) < self._plan.min_weight:
                return
            extended = self._join.extended(step, terms, stream, index)
            index += 1
            if extended is None or self._is_known(step.selected, extended):
                continue
            if self._join.is_absent(step.checks, extended):
                yield from self._grown(extended, grown, depth + 1)

    def _is_known(self, selected: Sequence[int], terms: Terms) -> bool:
        return len(selected) == len(self._plan.selected) and tuple([terms[slot] for slot in selected]) in self._known
