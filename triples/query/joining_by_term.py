"""Joins whose answers all weigh the same: in the order of their terms, without the others.

Answers of the same weight are ordered by their selected terms. If as many as are wanted weigh as much as any answer
may, only facts that can make up such an answer are looked at, in the order of the first selected term.
"""

from collections.abc import Callable, Sequence

from triples.patterns import Variable
from triples.query.answers import Position, Ranking
from triples.query.blocks import OutOfTime
from triples.query.join_order import JoinOrder
from triples.query.lookups import JoiningSource
from triples.query.parts_join import ROUNDING, PartsJoin
from triples.query.questions import Question

# The fewest facts of a part, and the most.
FIRST, LARGEST = 32, 16_384


def joined_by_term(
    question: Question[int],
    order: JoinOrder,
    source: JoiningSource,
    *,
    k: int,
    after: Position | None = None,
    expired: Callable[[], bool] = lambda: False,
) -> Ranking | None:
    """The first k answers that follow `after`, as `ranked` finds them; None if there are fewer of the greatest weight.

    The first pattern of the order must have the first selected variable. TooMany if a join has too many rows.
    """
    join = PartsJoin(question, order.places, source, k, after, expired)
    column = question.patterns[order.places[0]].index(question.selected[0])
    last = after.terms[0] - 1 if after else 0
    try:
        if not join.know_greatest():
            return Ranking([], None, join.read, 0)
        assert join.greatest is not None
        top = join.product(join.greatest)
        if top < join.least or (after and after.weight != top):
            return None
        join.least = top
        weight = join.greatest[0] * ROUNDING
        # Twice as many facts as should make k answers.
        size = min(max(FIRST, int(2 * k * order.estimates[0] / max(order.estimates))), LARGEST)
        while size <= LARGEST:
            join.clock.check()
            block = source.by_term(join.plan.steps[0].lookup.constants, column, last, weight, size)
            join.read += len(block)
            # The last term may have further facts.
            whole = len(block) < size
            part = block if whole else [fact for fact in block if fact.key[column] != block[-1].key[column]]
            join.take(part)
            last = part[-1].key[column] if part else last
            if join.follow(k):
                return Ranking(join.page(), None, join.read)
            if whole:
                return None
            size *= 2
    except OutOfTime:
        # In the order of answers, whatever comes next has a later term.
        return Ranking([answer for answer in join.page() if answer.terms[0] <= last], 1.0, join.read)
    return None


def begins_with_selected(question: Question[int], order: Sequence[int]) -> bool:
    """True if the first pattern of the order has the first selected variable."""
    first: Variable | None = question.selected[0] if question.selected else None
    return first is not None and first in question.patterns[order[0]]
