"""Joins whose answers all weigh the same: in the order of their terms, without the others.

Answers of the same weight are ordered by their selected terms. If as many as are wanted weigh as much as any answer
may, only facts that can make up such an answer are looked at, in the order of the first selected term. Where one term
alone has too many answers, it is put in the place of its variable, and the next selected term is the first.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import inf

from triples.patterns import Variable
from triples.query.answers import Answer, Position, Ranking
from triples.query.blocks import OutOfTime, TooMany
from triples.query.branches_in_order import InBranches, branched
from triples.query.join_order import JoinOrder, join_order
from triples.query.lookups import JoiningSource, OfTerms, Terms
from triples.query.parts_join import PartsJoin
from triples.query.questions import AskedPattern, Question
from triples.query.terms_in_order import FactsOfAnswers, InOrder
from triples.weights import ROUNDED_DOWN

# The terms of the first part, the most of others, and by how much a part may be larger than the one before.
FIRST, LARGEST, GROWTH = 32, 16_384, 4
# A part with more rows than this, and than this times the answers that are wanted, is made smaller.
MOST_ROWS, MOST_FOR_EACH = 1_000, 2
# If a term should have so many times more answers, they are not looked for together.
_CROWDED = 10
# With so many answers for each of its facts, a term may have more than are read at once.
_MANY_EACH = 32


def joined_by_term(
    question: Question[int],
    order: JoinOrder,
    source: JoiningSource,
    *,
    k: int,
    after: Position | None = None,
    expired: Callable[[], bool] = lambda: False,
    uniform: bool = False,
) -> Ranking | None:
    """The first k answers that follow `after`, as `ranked` finds them; None if there are fewer of the greatest weight.

    With `uniform`, there are no others than of the greatest weight, so all of them are found. The first pattern of the
    order must have the first selected variable. TooMany if a join has too many rows.
    """
    join = PartsJoin(question, order.places, source, k, after, expired)
    try:
        if not join.know_greatest():
            return Ranking([], None, join.read, 0)
    except OutOfTime:
        return Ranking([], 1.0, join.read)
    assert join.greatest is not None
    top = join.product(join.greatest)
    if top < join.least or (after and after.weight != top):
        return None
    greatest = {step.place: weight for step, weight in zip(join.plan.steps, join.greatest, strict=True)}
    facts = FactsOfAnswers(question, order.places, source, join.greatest)
    # A product is 1 only if all of its factors are.
    search = _Search(source, k, top, greatest, expired, facts, exact=uniform or top == 1)
    try:
        search.follow(question, order, (), after)
    except OutOfTime:
        # In the order of answers, whatever comes next has later terms.
        return Ranking(search.answers, 1.0, search.read)
    if len(search.answers) == k:
        return Ranking(search.answers, None, search.read)
    return Ranking(search.answers, None, search.read, None if after else len(search.answers)) if uniform else None


class _Search:
    """The answers of the greatest weight, in order, as far as they were looked for."""

    def __init__(
        self,
        source: JoiningSource,
        k: int,
        top: float,
        greatest: dict[int, float],
        expired: Callable[[], bool],
        facts: FactsOfAnswers,
        *,
        exact: bool,
    ) -> None:
        self.answers: list[Answer] = []
        self.read = 0
        # Whether all facts that are wanted weigh just as much as the heaviest.
        self._exact = exact
        self._facts = facts
        self._source = source
        self._k = k
        self._top = top
        # By the place of the pattern.
        self._greatest = greatest
        self._expired = expired

    def follow(
        self, question: Question[int], order: JoinOrder, prefix: tuple[int, ...], after: Position | None
    ) -> None:
        """Add the answers of a question, after those terms which its constants already stand for."""
        join = self._join(question, order, after)
        in_order = self._in_order(question, order, join, after and after.terms)
        ends = join.plan.steps[0].lookup.constants
        column = question.patterns[order.places[0]].index(question.selected[0])
        weight = self._greatest[order.places[0]] * ROUNDED_DOWN
        last = after.terms[0] - 1 if after else 0
        # As many as should make k answers, since most terms have several facts; twice as many where another part costs
        # more than to find a few terms in vain.
        expected = int((1 if in_order else 2) * self._wanted * order.estimates[0] / max(order.estimates))
        size = min(max(FIRST if in_order else 1, expected), FIRST * GROWTH)
        crowded = order.estimates[0] * _CROWDED * self._most_rows < max(order.estimates)
        # Of branches, no more is read than is wanted.
        crowded = crowded and not isinstance(in_order, InBranches)
        waiting: list[int] = []
        ended = False
        while self._wanted:
            join.clock.check()
            if len(waiting) < size and not ended:
                found = self._source.terms(ends, column, waiting[-1] if waiting else last, weight, size)
                ended = len(found) < size
                waiting += found
            if not waiting:
                return
            part = waiting[:size]
            before = len(self.answers)
            taken = 0
            if not (crowded and self._narrows(question)):
                terms = OfTerms(column, part)
                taken = self._take_in_order(in_order, terms, prefix) if in_order else self._take(join, terms, prefix)
            if not taken:
                if len(part) > 1 and not in_order:
                    size = max(len(part) // GROWTH, 1)
                    continue
                self._follow_one(question, part[0], prefix, after if after and after.terms[0] == part[0] else None)
                taken = 1
            crowded = crowded and len(self.answers) - before > self._most_rows
            if taken == len(part):
                size = self._size(taken, len(self.answers) - before)
            last = part[taken - 1]
            waiting = waiting[taken:]

    @property
    def _wanted(self) -> int:
        return self._k - len(self.answers)

    @property
    def _most_rows(self) -> int:
        return max(MOST_ROWS, MOST_FOR_EACH * self._wanted)

    @staticmethod
    def _narrows(question: Question[int]) -> bool:
        """True if a term can be put in the place of the first selected variable."""
        variable, *others = question.selected
        filtered = any(variable in filter_.variables for filter_ in question.filters)
        return bool(others) and not filtered and variable not in others

    def _join(self, question: Question[int], order: JoinOrder, after: Position | None) -> PartsJoin:
        join = PartsJoin(question, order.places, self._source, self._k, after, self._expired)
        join.least = self._top
        join.most_in_all = inf
        join.greatest = tuple([self._greatest[step.place] for step in join.plan.steps])
        return join

    def _in_order(
        self, question: Question[int], order: JoinOrder, join: PartsJoin, after: Terms | None
    ) -> InOrder | InBranches | None:
        """The join that makes no more answers than are wanted, if the source can do that."""
        if not (self._exact and self._source.joins_in_order and join.is_plain):
            return None
        weights = join.greatest or ()
        branches = branched(question, order, weights)
        if branches is not None:
            return InBranches(join, branches, after)
        # To count the rows of a term may take as long as to read them.
        crowded = order.estimates[0] * _MANY_EACH < max(order.estimates)
        return InOrder(join, weights, after, crowded=crowded)

    def _take(self, join: PartsJoin, part: OfTerms, prefix: tuple[int, ...]) -> int:
        """Add the answers of a part, whose terms come after those of other parts; of how many terms."""
        read = join.read
        try:
            join.most = self._most_rows
            join.take(part)
        except TooMany:
            return 0
        self.read += join.read - read
        found = join.page()[: self._wanted]
        join.forget()
        self.answers += [replace(answer, terms=prefix + answer.terms) for answer in found] if prefix else found
        return len(part.terms)

    def _take_in_order(self, join: InOrder | InBranches, part: OfTerms, prefix: tuple[int, ...]) -> int:
        """The same, of as many of the terms as are wanted."""
        read = join.read
        taken = join.take(part, self._wanted, self._most_rows)
        self.read += join.read - read
        found = [prefix + answer for answer in taken.answers[: self._wanted]]
        self._facts.add(found)
        top, facts = self._top, self._facts.of
        self.answers += [Answer(answer, top, partial(facts, answer)) for answer in found]
        return taken.terms

    def _size(self, size: int, found: int) -> int:
        """The number of terms for the next part, so that it should have the answers that are still wanted."""
        most = min(GROWTH * size, LARGEST)
        return min(most, size * self._wanted * 5 // (4 * found) + 1) if found else most

    def _follow_one(self, question: Question[int], term: int, prefix: tuple[int, ...], after: Position | None) -> None:
        """Add the answers of one term, in the order of the next selected one."""
        if not self._narrows(question):
            raise TooMany
        variable, *others = question.selected
        rest = after and Position(after.weight, after.terms[1:])
        narrowed = replace(with_term(question, variable, term), select=tuple(others))
        order = join_order(narrowed, self._source, others[0])
        if order.is_empty or not begins_with_selected(narrowed, order.places):
            raise TooMany
        self.follow(narrowed, order, (*prefix, term), rest)


def with_term(question: Question[int], variable: Variable, term: int) -> Question[int]:
    """The question with a term in the place of a variable."""

    def pattern(given: AskedPattern[int]) -> AskedPattern[int]:
        subject, predicate, object_ = (term if place == variable else place for place in given)
        return subject, predicate, object_

    return replace(
        question,
        patterns=tuple(map(pattern, question.patterns)),
        optional=tuple(tuple(map(pattern, group)) for group in question.optional),
        absent=tuple(map(pattern, question.absent)),
    )


def begins_with_selected(question: Question[int], order: Sequence[int]) -> bool:
    """True if the first pattern of the order has the first selected variable."""
    first: Variable | None = question.selected[0] if question.selected else None
    return first is not None and first in question.patterns[order[0]]
