"""One part of a join after the other: the facts of the first pattern that are given, with those of the others.

The database follows the other patterns from all of these facts together. What was found is kept by answer, with the
heaviest way to it.
"""

from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest
from math import prod
from time import perf_counter
from typing import NamedTuple

from triples.query.answers import Answer, Position
from triples.query.blocks import NO_TERM, Clock, Fact, TooMany
from triples.query.join import Join
from triples.query.join_plan import Step, plan_join
from triples.query.lookups import JoinedRow, JoiningSource, Lookup, Terms
from triples.query.questions import Question
from triples.recursion.programs import Key

# The most rows of one statement, and of all: beyond them, to find the heaviest fact by fact is faster.
MOST, MOST_IN_ALL = 20_000, 50_000
# The statements' least weights are quotients, which are rounded; the answers' products are compared exactly.
ROUNDING = 1 - 1e-9


class _Row(NamedTuple):
    """A partial answer: its terms, the weights of its facts in the order of the plan, and what they were read from."""

    terms: Terms
    weights: tuple[float, ...]
    first: Fact
    others: tuple[JoinedRow, ...] = ()


class _Found(NamedTuple):
    """The heaviest way to an answer."""

    weight: float
    row: _Row


class PartsJoin:
    """The join of a question whose patterns come in this order, and what it has found so far."""

    def __init__(
        self,
        question: Question[int],
        order: Sequence[int],
        source: JoiningSource,
        k: int,
        after: Position | None,
        expired: Callable[[], bool],
    ) -> None:
        self.plan = plan_join(question, order, question.selected)
        self.clock = Clock(expired)
        self.join = Join(self.plan, source, self.clock)
        self.source = source
        self._k = k
        self._after = None if after is None else (-after.weight, after.terms)
        self._best: dict[Terms, _Found] = {}
        # What is lighter is no answer of this page.
        self.least = self.plan.min_weight
        # The greatest weight of each pattern, in the order of the plan, once it is needed.
        self.greatest: tuple[float, ...] | None = None
        # With how many answers it is worth to look for the last that is wanted.
        self._enough = k
        self._rows = 0
        self.read = 0
        # How long the database took to join the last part, in seconds.
        self.seconds = 0.0
        # The places of the question's patterns in the plan.
        self._places = sorted(range(len(order)), key=lambda place: order[place])

    def know_greatest(self) -> bool:
        """Look up the greatest weight of each pattern, which bounds what is to come. False if one has no facts."""
        if self.greatest is None:
            weights = self.join.greatest_weights()
            if weights is None:
                return False
            self.greatest = tuple([weights[step.place] for step in self.plan.steps])
        return True

    @property
    def found(self) -> int:
        """The number of answers that are kept."""
        return len(self._best)

    def take(self, part: Sequence[Fact]) -> None:
        """Join a part, and keep what it answers. If it has too many rows, halve it."""
        try:
            rows = self._joined(part)
        except TooMany:
            if self.greatest is None or len(part) == 1:
                raise
            middle = len(part) // 2
            self.take(part[:middle])
            self.take(part[middle:])
            return
        self._rows += len(rows)
        if self._rows > MOST_IN_ALL:
            raise TooMany
        self._read_together((group.lookups[0] for group in self.plan.optional), rows)
        for row in rows:
            weight = self.product(row.weights)
            if weight < self.least:
                continue
            for terms in self.join.rows(row.terms):
                selected = tuple([terms[slot] for slot in self.plan.selected])
                known = self._best.get(selected)
                if known is None or known.weight < weight:
                    self._best[selected] = _Found(weight, row)

    def _joined(self, part: Sequence[Fact]) -> list[_Row]:
        self.seconds = 0.0
        first, *others = self.plan.steps
        found = ((first.lookup.extended((), fact.key), fact) for fact in part)
        rows = [_Row(terms, (fact.weight,), fact) for terms, fact in found if terms is not None]
        rows = self._checked([first], rows)
        together = self.source.most_joined
        for begin in range(0, len(others), together):
            if not rows:
                break
            steps = others[begin : begin + together]
            rows = self._checked(steps, self._grown(steps, rows))
        return rows

    def _grown(self, steps: Sequence[Step], rows: Sequence[_Row]) -> list[_Row]:
        """The partial answers with the facts of the next patterns."""
        self.clock.check()
        lookups = [step.lookup for step in steps]
        least = self._least_weights(len(rows[0].weights), len(steps), max(prod(row.weights) for row in rows))
        begin = perf_counter()
        found = self.source.joined(lookups, [row.terms for row in rows], least, MOST + 1)
        self.seconds += perf_counter() - begin
        if len(found) > MOST:
            raise TooMany
        self.read += len(found) * len(steps)
        terms, weights = list[int](), list[int]()
        column = 1
        for lookup in lookups:
            terms += [column + lookup.free.index(taken) for taken in lookup.taken]
            column += len(lookup.free) + 2
            weights.append(column - 2)
        grown: list[_Row] = []
        for one in found:
            self.clock.tick()
            before = rows[one[0]]
            grown.append(
                before._replace(
                    terms=before.terms + tuple([one[place] for place in terms]),
                    weights=before.weights + tuple([one[place] for place in weights]),
                    others=(*before.others, one),
                )
            )
        return grown

    def _least_weights(self, first: int, count: int, heaviest: float) -> list[float]:
        """The least weights with which the next facts can still be part of an answer that is heavy enough."""
        if self.greatest is None:
            return [0.0] * count
        rest = self.greatest[first:]
        others = [heaviest * prod(rest[:number]) * prod(rest[number + 1 :]) for number in range(count)]
        return [min(self.least / one, 1.0) * ROUNDING if one > 0 else 0.0 for one in others]

    def _checked(self, steps: Sequence[Step], rows: list[_Row]) -> list[_Row]:
        """The partial answers for which filters hold and what must be absent is."""
        for step in steps:
            checks = step.checks
            if checks.filters:
                slots = [slot for _, slots in checks.filters for slot in slots]
                self.join.read_texts(row.terms[slot] for row in rows for slot in slots)
                rows = [row for row in rows if self.join.filtered(checks, row.terms)]
            if checks.absent:
                self._read_together(checks.absent, rows)
                rows = [row for row in rows if self.join.is_absent(checks, row.terms)]
        return rows

    def _read_together(self, lookups: Iterable[Lookup], rows: Sequence[_Row]) -> None:
        """Read what the look-ups find for all partial answers, but for those that need what an optional group binds."""
        if not rows:
            return
        filled = len(rows[0].terms)
        for lookup in lookups:
            if all(slot < filled for _, slot in lookup.bound):
                self.join.read_together(lookup, (row.terms for row in rows), MOST)

    def product(self, weights: Sequence[float]) -> float:
        """The product in the order of the question, so that it is rounded in the same way whatever the plan."""
        return prod([weights[place] for place in self._places])

    def follow(self, k: int) -> bool:
        """True if at least k of the answers follow `after`."""
        if self._after is None:
            return len(self._best) >= k
        return sum((-one.weight, terms) > self._after for terms, one in self._best.items()) >= k

    def forget_lighter(self) -> None:
        """Once there are k answers, the lighter ones are of no use. Looked at again when there are twice as many."""
        if len(self._best) < self._enough:
            return
        following = [(-found.weight, terms) for terms, found in self._best.items()]
        if self._after is not None:
            following = [one for one in following if one > self._after]
        if len(following) >= self._k:
            [*_, (weight, _)] = nsmallest(self._k, following)
            self.least = max(self.least, -weight)
            self._best = {terms: found for terms, found in self._best.items() if found.weight >= self.least}
        self._enough = 2 * len(self._best)

    def page(self, above: float = -1.0) -> list[Answer]:
        found = sorted((-one.weight, terms) for terms, one in self._best.items() if one.weight > above)
        page = [one for one in found if self._after is None or one > self._after][: self._k]
        return [Answer(terms, -weight, self._facts(self._best[terms].row)) for weight, terms in page]

    def _facts(self, row: _Row) -> tuple[Fact, ...]:
        """The facts of an answer in the order of the question."""
        facts = [row.first]
        for one in row.others:
            _, *values = one
            while values:
                lookup = self.plan.steps[len(facts)].lookup
                key = list(lookup.ends(row.terms))
                for column in lookup.free:
                    key[column] = values.pop(0)
                weight, id_, *values = values
                facts.append(Fact(Key(*(term or NO_TERM for term in key)), weight, id_))
        return tuple([facts[place] for place in self._places])
