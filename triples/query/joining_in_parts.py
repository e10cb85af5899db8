"""Joins in parts: the facts of the first pattern are taken heaviest first, and the database joins each part of them.

Once there are k answers, only what may be as heavy as the last of them is joined, and a part whose heaviest fact
cannot make such an answer is the end. So joins with few answers, and those whose weights tie, cost little more than the
database takes to look at them. Those of very many answers are better found fact by fact: `triples.query.ranked_join`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import nsmallest
from math import prod
from time import perf_counter
from typing import NamedTuple

from triples.query.answers import Answer, Position, Ranking
from triples.query.blocks import NO_TERM, Clock, Fact, OutOfTime, TooMany
from triples.query.join import Join
from triples.query.join_plan import Step, plan_join
from triples.query.lookups import JoinedRow, JoiningSource, Lookup, Terms
from triples.query.questions import Question
from triples.recursion.programs import Key

# The most rows of one statement, and of all: beyond them, to find the heaviest fact by fact is faster.
MOST, MOST_IN_ALL = 20_000, 200_000
# The facts in the first part, and in others, by how long the database takes to join them: in seconds.
FIRST, SMALLEST, LARGEST = 512, 64, 4_096
_SHORT, _LONG = 0.015, 0.1
# The statements' least weights are quotients, which are rounded; the answers' products are compared exactly.
_ROUNDING = 1 - 1e-9


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


def joined_in_parts(
    question: Question[int],
    order: Sequence[int],
    source: JoiningSource,
    *,
    k: int,
    after: Position | None = None,
    expired: Callable[[], bool] = lambda: False,
    first: int = FIRST,
) -> Ranking:
    """The first k answers that follow `after`, as `ranked` finds them; TooMany if a join has too many rows.

    `first` is how many facts are joined at first.
    """
    return _Search(question, order, source, k, after, expired).ranking(first)


class _Search:
    def __init__(
        self,
        question: Question[int],
        order: Sequence[int],
        source: JoiningSource,
        k: int,
        after: Position | None,
        expired: Callable[[], bool],
    ) -> None:
        self._plan = plan_join(question, order, question.selected)
        self._clock = Clock(expired)
        self._join = Join(self._plan, source, self._clock)
        self._source = source
        self._k = k
        self._after = None if after is None else (-after.weight, after.terms)
        self._best: dict[Terms, _Found] = {}
        # What is lighter is no answer of this page.
        self._least = self._plan.min_weight
        # The greatest weight of each pattern, in the order of the plan, once it is needed.
        self._greatest: tuple[float, ...] | None = None
        # With how many answers it is worth to look for the last that is wanted.
        self._enough = k
        self._rows = 0
        self._read = 0
        # How long the database took to join the last part, in seconds.
        self._seconds = 0.0
        # The places of the question's patterns in the plan.
        self._places = sorted(range(len(order)), key=lambda place: order[place])

    def ranking(self, first: int) -> Ranking:
        bound = 1.0
        try:
            for part in self._parts(min(max(first, SMALLEST), LARGEST)):
                if self._greatest is not None:
                    self._forget_lighter()
                    bound = self._bound(part[0].weight)
                    if bound < self._least:
                        break
                self._take(part)
        except OutOfTime:
            # Everything heavier than that is found, and of the rest something may be missing.
            return Ranking(self._page(above=bound), bound, self._read)
        everything = self._least == self._plan.min_weight
        return Ranking(self._page(), None, self._read, len(self._best) if everything else None)

    def _parts(self, size: int) -> Iterator[Sequence[Fact]]:
        """The facts of the first pattern, as many at a time as take the database neither long nor no time."""
        ends = self._plan.steps[0].lookup.constants
        last: Fact | None = None
        while True:
            self._clock.check()
            block = self._source.block(ends, last, size)
            self._read += len(block)
            part = [fact for fact in block if fact.weight > 0]
            if not part:
                return
            yield part
            if len(part) < size:
                return
            last = block[-1]
            if self._greatest is None:
                weights = self._join.greatest_weights()
                if weights is None:
                    return
                self._greatest = tuple([weights[step.place] for step in self._plan.steps])
            if self._seconds < _SHORT:
                size = min(2 * size, LARGEST)
            elif self._seconds > _LONG:
                size = max(size // 2, SMALLEST)

    def _take(self, part: Sequence[Fact]) -> None:
        """Join a part, and keep what it answers. If it has too many rows, halve it."""
        try:
            rows = self._joined(part)
        except TooMany:
            if self._greatest is None or len(part) == 1:
                raise
            middle = len(part) // 2
            self._take(part[:middle])
            self._take(part[middle:])
            return
        self._rows += len(rows)
        if self._rows > MOST_IN_ALL:
            raise TooMany
        self._read_together((group.lookups[0] for group in self._plan.optional), rows)
        for row in rows:
            weight = self._product(row.weights)
            if weight < self._least:
                continue
            for terms in self._join.rows(row.terms):
                selected = tuple([terms[slot] for slot in self._plan.selected])
                known = self._best.get(selected)
                if known is None or known.weight < weight:
                    self._best[selected] = _Found(weight, row)

    def _joined(self, part: Sequence[Fact]) -> list[_Row]:
        self._seconds = 0.0
        first, *others = self._plan.steps
        found = ((first.lookup.extended((), fact.key), fact) for fact in part)
        rows = [_Row(terms, (fact.weight,), fact) for terms, fact in found if terms is not None]
        rows = self._checked([first], rows)
        together = self._source.most_joined
        for begin in range(0, len(others), together):
            if not rows:
                break
            steps = others[begin : begin + together]
            rows = self._checked(steps, self._grown(steps, rows))
        return rows

    def _grown(self, steps: Sequence[Step], rows: Sequence[_Row]) -> list[_Row]:
        """The partial answers with the facts of the next patterns."""
        self._clock.check()
        lookups = [step.lookup for step in steps]
        least = self._least_weights(len(rows[0].weights), len(steps), max(prod(row.weights) for row in rows))
        begin = perf_counter()
        found = self._source.joined(lookups, [row.terms for row in rows], least, MOST + 1)
        self._seconds += perf_counter() - begin
        if len(found) > MOST:
            raise TooMany
        self._read += len(found) * len(steps)
        terms, weights = list[int](), list[int]()
        column = 1
        for lookup in lookups:
            terms += [column + lookup.free.index(taken) for taken in lookup.taken]
            column += len(lookup.free) + 2
            weights.append(column - 2)
        grown: list[_Row] = []
        for one in found:
            self._clock.tick()
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
        if self._greatest is None:
            return [0.0] * count
        rest = self._greatest[first:]
        others = [heaviest * prod(rest[:number]) * prod(rest[number + 1 :]) for number in range(count)]
        return [min(self._least / one, 1.0) * _ROUNDING if one > 0 else 0.0 for one in others]

    def _checked(self, steps: Sequence[Step], rows: list[_Row]) -> list[_Row]:
        """Those of the partial answers for which filters hold and what must be absent is."""
        for step in steps:
            checks = step.checks
            if checks.filters:
                slots = [slot for _, slots in checks.filters for slot in slots]
                self._join.read_texts(row.terms[slot] for row in rows for slot in slots)
                rows = [row for row in rows if self._join.filtered(checks, row.terms)]
            if checks.absent:
                self._read_together(checks.absent, rows)
                rows = [row for row in rows if self._join.is_absent(checks, row.terms)]
        return rows

    def _read_together(self, lookups: Iterable[Lookup], rows: Sequence[_Row]) -> None:
        """Read what the look-ups find for all partial answers, but for those that need what an optional group binds."""
        if not rows:
            return
        filled = len(rows[0].terms)
        for lookup in lookups:
            if all(slot < filled for _, slot in lookup.bound):
                self._join.read_together(lookup, (row.terms for row in rows), MOST)

    def _product(self, weights: Sequence[float]) -> float:
        """The product in the order of the question, so that it is rounded in the same way whatever the plan."""
        return prod([weights[place] for place in self._places])

    def _bound(self, weight: float) -> float:
        """What no answer is heavier than that begins with a fact of this weight."""
        assert self._greatest is not None
        return self._product((weight, *self._greatest[1:]))

    def _forget_lighter(self) -> None:
        """Once there are k answers, the lighter ones are of no use. Looked at again when there are twice as many."""
        if len(self._best) < self._enough:
            return
        following = [(-found.weight, terms) for terms, found in self._best.items()]
        if self._after is not None:
            following = [one for one in following if one > self._after]
        if len(following) >= self._k:
            [*_, (weight, _)] = nsmallest(self._k, following)
            self._least = max(self._least, -weight)
            self._best = {terms: found for terms, found in self._best.items() if found.weight >= self._least}
        self._enough = 2 * len(self._best)

    def _page(self, above: float = -1.0) -> list[Answer]:
        found = sorted((-one.weight, terms) for terms, one in self._best.items() if one.weight > above)
        page = [one for one in found if self._after is None or one > self._after][: self._k]
        return [Answer(terms, -weight, self._facts(self._best[terms].row)) for weight, terms in page]

    def _facts(self, row: _Row) -> tuple[Fact, ...]:
        """The facts of an answer in the order of the question."""
        facts = [row.first]
        for one in row.others:
            _, *values = one
            while values:
                lookup = self._plan.steps[len(facts)].lookup
                key = list(lookup.ends(row.terms))
                for column in lookup.free:
                    key[column] = values.pop(0)
                weight, id_, *values = values
                facts.append(Fact(Key(*(term or NO_TERM for term in key)), weight, id_))
        return tuple([facts[place] for place in self._places])
