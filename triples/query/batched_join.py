"""Joins of few facts: all answers are found, pattern by pattern, and sorted.

A pattern is looked up for all partial answers together, so a join takes hardly more statements than it has patterns.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import prod
from typing import NamedTuple

from triples.query.answers import Answer, Position, Ranking
from triples.query.blocks import Clock, Fact, OutOfTime, Source, TooMany
from triples.query.join import Join
from triples.query.join_plan import Step, plan_join
from triples.query.lookups import Lookup, Terms
from triples.query.questions import Question
from triples.query.ranked_join import in_order

# Of partial answers, and of facts that one look-up finds: beyond it, finding the heaviest first is faster.
MOST = 20_000


class _Partial(NamedTuple):
    """A partial answer: its terms, its weights with 1 for what is still to be found, its facts in the plan's order."""

    terms: Terms
    weights: tuple[float, ...]
    facts: tuple[Fact, ...]


def answered_together(
    question: Question[int],
    order: Sequence[int],
    source: Source,
    *,
    k: int,
    after: Position | None = None,
    expired: Callable[[], bool] = lambda: False,
    most: int = MOST,
) -> Ranking:
    """The first k answers that follow `after`, as `ranked` finds them; TooMany if the join needs more than `most`."""
    join = Join(plan_join(question, order, question.selected), source, Clock(expired))
    best: dict[Terms, Answer] = {}
    try:
        for answer in _answers(join, most):
            known = best.get(answer.terms)
            if known is None or known.weight < answer.weight:
                best[answer.terms] = answer
    except OutOfTime:
        # The heaviest answer may be missing.
        return Ranking([], 1.0, join.read)
    first = None if after is None else (-after.weight, after.terms)
    found = sorted((-answer.weight, answer.terms) for answer in best.values())
    following = [best[terms] for weight, terms in found if first is None or (weight, terms) > first]
    return Ranking(following[:k], None, join.read, len(best))


def _answers(join: Join, most: int) -> Iterator[Answer]:
    partials = [_Partial((), (1.0,) * len(join.plan.steps), ())]
    for step in join.plan.steps:
        partials = _grown(join, step, partials, most)
    _read_together(join, (group.lookups[0] for group in join.plan.optional), partials, most)
    _read_together(join, join.plan.checks.absent, partials, most)
    for partial in partials:
        facts = in_order(join.plan, partial.facts)
        for row in join.rows(partial.terms):
            yield Answer(tuple([row[slot] for slot in join.plan.selected]), prod(partial.weights), facts)


def _grown(join: Join, step: Step, partials: Sequence[_Partial], most: int) -> list[_Partial]:
    """The partial answers with all facts of the next pattern."""
    _read_together(join, [step.lookup], partials, most)
    grown: list[_Partial] = []
    for terms, weights, facts in partials:
        before, behind = weights[: step.place], weights[step.place + 1 :]
        stream = join.stream(step.lookup, terms)
        for index, fact in enumerate(stream):
            join.clock.tick()
            now = (*before, fact.weight, *behind)
            # The facts that follow are no heavier.
            if prod(now) < join.plan.min_weight:
                break
            extended = join.extended(step, terms, stream, index)
            if extended is not None:
                grown.append(_Partial(extended, now, (*facts, fact)))
        if len(grown) > most:
            raise TooMany
    _read_together(join, step.checks.absent, grown, most)
    return [partial for partial in grown if join.is_absent(step.checks, partial.terms)]


def _read_together(join: Join, lookups: Iterable[Lookup], partials: Sequence[_Partial], most: int) -> None:
    """Read what the look-ups find for all partial answers, but for those that need what an optional group binds."""
    if not partials:
        return
    filled = len(partials[0].terms)
    for lookup in lookups:
        if all(slot < filled for _, slot in lookup.bound):
            join.read_together(lookup, (partial.terms for partial in partials), most)
