"""One part of a join after the other: facts of the first pattern, with those of the others.

The database joins a whole part, so that what fits no other pattern is never handed over. What was found is kept by
answer, with the heaviest way to it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from heapq import nsmallest
from math import prod
from time import perf_counter
from typing import NamedTuple

from triples.query.answers import Answer, Position
from triples.query.blocks import Clock, Fact, TooMany
from triples.query.join import Join
from triples.query.join_plan import Checks, Step, plan_join
from triples.query.joined_rows import columns_of, facts_of_row, picking
from triples.query.least_weights import least_weights
from triples.query.lookups import JoinedRow, JoiningSource, Lookup, Part, Terms
from triples.query.questions import Question

# The most rows of one statement, and of all: beyond them, to find the heaviest fact by fact is faster.
MOST, MOST_IN_ALL = 20_000, 50_000
# Rows that are looked at without a pause.
_ROWS = 256
_NO_CHECKS = Checks((), ())


class _Row(NamedTuple):
    """A partial answer: its terms, the weights of its facts in the order of the plan, and what they were read from."""

    terms: Terms
    weights: tuple[float, ...]
    rows: tuple[JoinedRow, ...]


class _Found(NamedTuple):
    """The heaviest way to an answer."""

    weight: float
    rows: tuple[JoinedRow, ...]


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
        self.wanted = k
        self._after = None if after is None else (-after.weight, after.terms)
        self._best: dict[Terms, _Found] = {}
        # What is lighter is no answer of this page.
        self.least = self.plan.min_weight
        # The greatest weight of each pattern, in the order of the plan, once it is needed.
        self.greatest: tuple[float, ...] | None = None
        # With how many answers it is worth to look for the last that is wanted.
        self._enough = k
        # The most rows of one statement, and of all.
        self.most = MOST
        self.most_in_all: float = MOST_IN_ALL
        self._rows = 0
        self.read = 0
        # How long the database took to join the last part, in seconds.
        self.seconds = 0.0
        # The places of the question's patterns in the plan. Weights are multiplied in this order.
        self.places = sorted(range(len(order)), key=lambda place: order[place])
        self._chunks = self._together()

    def know_greatest(self) -> bool:
        """Look up the greatest weight of each pattern, which bounds what is to come. False if one has no facts."""
        if self.greatest is None:
            weights = [self.source.weight_at(step.lookup.constants, 1.0, 0) for step in self.plan.steps]
            greatest = [weight for weight in weights if weight is not None]
            if len(greatest) < len(weights):
                return False
            self.greatest = tuple(greatest)
        return True

    @property
    def found(self) -> int:
        """The number of answers that are kept."""
        return len(self._best)

    def number_of(self, weight: float) -> int:
        """The number of those that weigh at least so much and follow `after`."""
        return sum(one <= -weight for one in self._following())

    def weight_of(self, place: int) -> float | None:
        """The weight of the answer at a place, from 1, by falling weight, of those that are kept and follow `after`."""
        heaviest = nsmallest(place, self._following())
        return -heaviest[-1] if len(heaviest) == place else None

    def _following(self) -> Iterator[float]:
        """The weights, negative, of those that are kept and follow `after`."""
        for terms, one in self._best.items():
            if self._after is None or (-one.weight, terms) > self._after:
                yield -one.weight

    def takes_enough(self, part: Part, least: float) -> bool:
        """Join a part for answers of at least this weight; if fewer than wanted are, it has to be joined again."""
        before, self.least = self.least, least
        # What is found may bound it better than before.
        self._enough = self.wanted
        try:
            self.take(part)
            if self.number_of(least) >= self.wanted:
                return True
        except BaseException:
            self.least = before
            raise
        self.least = before
        return False

    def _together(self) -> list[list[Step]]:
        """The steps that are joined by one statement each; the first one alone if it has checks."""
        steps, most = list(self.plan.steps), self.source.most_joined
        first = 1 if steps[0].checks != _NO_CHECKS else most
        rest = steps[first:]
        return [steps[:first], *(rest[begin : begin + most] for begin in range(0, len(rest), most))]

    def take(self, part: Part) -> None:
        """Join a part, and keep what it answers. TooMany if it has too many rows."""
        self.seconds = 0.0
        first, *others = self._chunks
        found = self._joined(first, part, least_weights(self.greatest, self.least, 0, len(first), 1.0, part))
        if self.is_plain:
            self._count(len(found))
            self._keep_all(found)
            return
        rows = self._checked(first, self._grown(first, [_Row((), (), ())], found))
        for steps in others:
            if not rows:
                break
            heaviest = max(prod(row.weights) for row in rows)
            least = least_weights(self.greatest, self.least, len(rows[0].weights), len(steps), heaviest)
            found = self._joined(steps, [row.terms for row in rows], least)
            rows = self._checked(steps, self._grown(steps, rows, found))
        self._count(len(rows))
        self._keep(rows)

    @property
    def scanned(self) -> int | None:
        """The column by which a part can be read: the first pattern has a predicate alone, and one term goes on."""
        first, *others = [step.lookup for step in self._chunks[0]]
        subject, predicate, object_ = first.constants
        given = (subject is not None, predicate is not None, object_ is not None)
        if given != (False, True, False) or first.equal or not others or not self.source.scans_columns:
            return None
        looked_up = {slot for _, slot in others[0].bound}
        return first.taken[looked_up.pop()] if len(looked_up) == 1 else None

    @property
    def is_plain(self) -> bool:
        """True if one statement finds whole answers."""
        no_checks = all(step.checks == _NO_CHECKS for step in self.plan.steps)
        return len(self._chunks) == 1 and not self.plan.optional and no_checks

    def _count(self, rows: int) -> None:
        self._rows += rows
        if self._rows > self.most_in_all:
            raise TooMany

    def _joined(
        self, steps: Sequence[Step], given: Sequence[Terms] | Part, least: Sequence[float]
    ) -> Sequence[JoinedRow]:
        self.clock.check()
        begin = perf_counter()
        found = self.source.joined([step.lookup for step in steps], given, least, self.most + 1)
        self.seconds += perf_counter() - begin
        if len(found) > self.most:
            raise TooMany
        self.read += len(found) * len(steps)
        return found

    def _grown(self, steps: Sequence[Step], rows: Sequence[_Row], found: Sequence[JoinedRow]) -> list[_Row]:
        """The partial answers with the facts of the next patterns."""
        terms, weights = columns_of(step.lookup for step in steps)
        grown: list[_Row] = []
        for one in self._unhurried(found):
            before = rows[one[0]]
            grown.append(
                _Row(
                    before.terms + tuple([one[column] for column in terms]),
                    before.weights + tuple([one[column] for column in weights]),
                    (*before.rows, one),
                )
            )
        return grown

    def _keep_all(self, found: Sequence[JoinedRow]) -> None:
        """Keep rows that are whole answers."""
        terms, weights = columns_of(step.lookup for step in self.plan.steps)
        selection = picking([terms[slot] for slot in self.plan.selected])
        factors = [weights[place] for place in self.places]
        best = self._best
        for one in self._unhurried(found):
            weight = prod([one[column] for column in factors])
            if weight >= self.least:
                selected = selection(one)
                known = best.get(selected)
                if known is None or known[0] < weight:
                    best[selected] = _Found(weight, (one,))

    def _keep(self, rows: Sequence[_Row]) -> None:
        """Keep the answers that the optional groups make of each row."""
        self._read_together((group.lookups[0] for group in self.plan.optional), rows)
        for row in rows:
            weight = self.product(row.weights)
            if weight < self.least:
                continue
            for terms in self.join.rows(row.terms):
                selected = tuple([terms[slot] for slot in self.plan.selected])
                known = self._best.get(selected)
                if known is None or known.weight < weight:
                    self._best[selected] = _Found(weight, row.rows)

    def _unhurried(self, found: Sequence[JoinedRow]) -> Iterator[JoinedRow]:
        for begin in range(0, len(found), _ROWS):
            rows = found[begin : begin + _ROWS]
            self.clock.passed(len(rows))
            yield from rows

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
        return prod([weights[place] for place in self.places])

    def forget_lighter(self) -> None:
        """Once there are k answers, the lighter ones are of no use. Looked at again when there are twice as many."""
        if len(self._best) < self._enough:
            return
        if (weight := self.weight_of(self.wanted)) is not None:
            self.least = max(self.least, weight)
            self._best = {terms: found for terms, found in self._best.items() if found.weight >= self.least}
        self._enough = 2 * len(self._best)

    def page(self, above: float = -1.0) -> list[Answer]:
        found = sorted((-one.weight, terms) for terms, one in self._best.items() if one.weight > above)
        page = [one for one in found if self._after is None or one > self._after][: self.wanted]
        return [Answer(terms, -weight, partial(self._facts, self._best[terms].rows)) for weight, terms in page]

    def forget(self) -> None:
        """Forget what was found, for a part that nothing of it can be part of."""
        self._best.clear()

    def _facts(self, rows: Iterable[JoinedRow]) -> tuple[Fact, ...]:
        """The facts of an answer in the order of the question."""
        facts: list[Fact] = []
        terms: Terms = ()
        steps = self.plan.steps
        for row in rows:
            lookups = [step.lookup for step in steps[len(facts) :]]
            facts += facts_of_row(lookups, terms, row)
            terms = ()
            for step, fact in zip(steps, facts, strict=False):
                terms += tuple([fact.key[column] for column in step.lookup.taken])
        return tuple([facts[place] for place in self.places])
