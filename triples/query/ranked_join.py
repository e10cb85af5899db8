"""Ranked joins: the heaviest answers first, without the others.

Partial answers wait in a heap, ordered by a bound that no answer grown from them comes before. The one in front is
grown by one fact, the heaviest that it has not been grown by yet; an answer in front is the next one (Ilyas et al.,
"Supporting top-k join queries", VLDB 2003; Tziavelis et al., "Optimal algorithms for ranked enumeration of answers to
full conjunctive queries", PVLDB 13, 2020).

The bound of the weight is the product in the order of the question, with the greatest weight of a pattern for each
fact that is still to be found. Rounded multiplication is monotonic in both factors, so no rounding can lift an
answer's weight, multiplied in the same order, above its bound. The bound of the terms is the known beginning of the
selection, since a tuple never comes before its beginning.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from math import prod
from typing import NamedTuple

from triples.query.answers import Answer, Position, Ranking
from triples.query.blocks import Clock, Fact, OutOfTime, Source, Stream, TooMany
from triples.query.join import Join
from triples.query.join_plan import JoinPlan, plan_join
from triples.query.lookups import Terms
from triples.query.questions import Question

# Partial answers for which facts are read by one statement, and how many facts these may be.
_LARGEST_GROUP = 256
_MOST_TOGETHER = 4_096
# Partial answers that wait are counted so many at a time.
_SHARE = 64


class _Origin(NamedTuple):
    """The origin of a partial answer: the terms of another one, and the fact at this place of a stream."""

    terms: Terms
    stream: Stream
    place: int


class _Partial(NamedTuple):
    """A partial answer; the facts of the next pattern that it is still to be grown by begin at `following`."""

    terms: Terms
    # As far as found those of the facts, in the order of the question; then the greatest of the pattern.
    weights: tuple[float, ...]
    # In the order of the plan.
    facts: tuple[Fact, ...]
    origin: _Origin | None = None
    stream: Stream | None = None
    following: int = 0


# The order of the heap: the bounds of weight and terms; then whatever is nearest to an answer; then age.
_Entry = tuple[float, Terms, int, int, _Partial]


def ranked(
    question: Question[int],
    order: Sequence[int],
    source: Source,
    *,
    k: int,
    after: Position | None = None,
    expired: Callable[[], bool] = lambda: False,
) -> Ranking:
    """The first k answers that follow `after`, with the patterns joined in this order.

    The order of joining changes neither the answers nor their weights. Only which of several equally heavy
    combinations of facts is named may depend on it. Where many answers have the same weight, the terms decide. Then an
    order that binds the first selected variables first reads least: the others join everything of that weight.
    """
    join = Join(plan_join(question, order, question.selected), source, Clock(expired))
    search = _Search(join)
    answers: list[Answer] = []
    first = None if after is None else (-after.weight, after.terms)
    try:
        for answer in search.answers() if k > 0 else ():
            if first is None or (-answer.weight, answer.terms) > first:
                answers.append(answer)
                if len(answers) == k:
                    break
    except OutOfTime:
        return Ranking(answers, search.bound, join.read)
    return Ranking(answers, None, join.read)


class _Search:
    def __init__(self, join: Join) -> None:
        # Nothing that comes later is heavier.
        self.bound = 1.0
        self._join = join
        self._plan = join.plan
        self._heap: list[_Entry] = []
        self._age = 0
        # The greatest size of the heap so far, rounded up.
        self._counted = 0
        self._found: set[Terms] = set()
        # For how many partial answers the facts of each step are read by the next statement.
        self._together = [2] * len(self._plan.steps)

    def answers(self) -> Iterator[Answer]:
        """All answers, in order."""
        greatest = self._join.greatest_weights()
        if greatest is None:
            return
        self._push(prod(greatest), (), 0, _Partial((), greatest, ()))
        while self._heap:
            bound, terms, depth, _age, partial = heappop(self._heap)
            self.bound = -bound
            # The prefix of a selection is as long as the whole of it only if it is the whole.
            if len(terms) == len(self._plan.selected) and terms in self._found:
                continue
            if -depth > len(self._plan.steps):
                self._join.clock.keep(1)
                self._found.add(terms)
                yield Answer(terms, -bound, functools.partial(in_order, self._plan, partial.facts))
            else:
                self._advance(partial, -depth)

    def _advance(self, partial: _Partial, depth: int) -> None:
        # Filters were looked at when it was made; what must be absent costs a read, which waited until it had to be.
        new = depth > 0 and partial.stream is None
        if new and not self._join.is_absent(self._plan.steps[depth - 1].checks, partial.terms):
            return
        if depth == len(self._plan.steps):
            for row in self._join.rows(partial.terms):
                selected = tuple([row[slot] for slot in self._plan.selected])
                self._push(self.bound, selected, depth + 1, partial)
        else:
            self._grow(partial, depth)

    def _grow(self, partial: _Partial, depth: int) -> None:
        """Grow a partial answer by facts of the next pattern until another one is in front."""
        step = self._plan.steps[depth]
        stream = partial.stream or self._stream(partial, depth)
        known = self._plan.steps[depth - 1].selected if depth else ()
        prefix = tuple([partial.terms[slot] for slot in known])
        # Of the facts that only show that the selected terms are an answer, one is enough.
        whole = len(prefix) == len(self._plan.selected)
        before, behind = partial.weights[: step.place], partial.weights[step.place + 1 :]
        index = partial.following
        while stream.has(index):
            self._join.clock.tick()
            fact = stream.facts[index]
            weights = (*before, fact.weight, *behind)
            bound = prod(weights)
            if self._heap and (-bound, prefix) > self._heap[0][:2]:
                self._push(bound, prefix, depth, partial._replace(stream=stream, following=index))
                return
            if bound < self._plan.min_weight:
                return
            terms = self._join.extended(step, partial.terms, stream, index)
            index += 1
            if terms is not None:
                selected = tuple([terms[slot] for slot in step.selected])
                origin = _Origin(partial.terms, stream, index - 1)
                self._push(bound, selected, depth + 1, _Partial(terms, weights, (*partial.facts, fact), origin))
                if whole:
                    self._push(bound, prefix, depth, partial._replace(stream=stream, following=index))
                    return

    def _stream(self, partial: _Partial, depth: int) -> Stream:
        """The facts that a partial answer can be grown by.

        Read together with those of the partial answers that come next from where this one came from: first of two,
        then of twice as many. That these are wanted too is likely where few can be grown at all.
        """
        lookup = self._plan.steps[depth].lookup
        together = self._together[depth]
        if partial.origin is not None and together and not self._join.has_stream(lookup, partial.terms):
            before = self._plan.steps[depth - 1].lookup
            terms, stream, place = partial.origin
            facts = stream.facts[place : place + together]
            rows = [row for fact in facts if (row := before.extended(terms, fact.key)) is not None]
            try:
                self._join.read_together(lookup, rows, _MOST_TOGETHER)
                self._together[depth] = min(2 * together, _LARGEST_GROUP)
            except TooMany:
                # Their heaviest are enough: each is read by itself.
                self._together[depth] = 0
        return self._join.stream(lookup, partial.terms)

    def _push(self, bound: float, terms: Terms, depth: int, partial: _Partial) -> None:
        if bound >= self._plan.min_weight:
            self._age += 1
            if len(self._heap) >= self._counted:
                self._counted += _SHARE
                self._join.clock.keep(_SHARE)
            heappush(self._heap, (-bound, terms, -depth, self._age, partial))


def in_order(plan: JoinPlan, facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts, which are in the order of the plan, in that of the question."""
    by_place = {step.place: fact for step, fact in zip(plan.steps, facts, strict=True)}
    return tuple([by_place[place] for place in range(len(facts))])
