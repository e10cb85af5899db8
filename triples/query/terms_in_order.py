"""Joins of facts that weigh the same, from one term after the other, no further than answers are wanted.

The database is asked for the selected terms alone. What else is told of an answer is read once it is asked for.
"""

from bisect import bisect_left
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from triples.patterns import Variable, variables
from triples.query.blocks import Fact
from triples.query.joined_rows import facts_of_row
from triples.query.lookups import JoiningSource, Lookup, OfTerms, Slots, Terms, lookup_of
from triples.query.parts_join import MOST, PartsJoin
from triples.query.questions import Question

# No more rows are read than the first number, and the second for each answer that is wanted, as far as rows make
# answers.
ROWS, FOR_EACH = 256, 1.125


class Taken(NamedTuple):
    """Answers in order, and how many terms they are all answers of."""

    answers: Sequence[Terms]
    terms: int


class InOrder:
    """The join of a question, from the terms of its first selected variable."""

    def __init__(self, join: PartsJoin, least: Sequence[float], after: Terms | None, *, crowded: bool) -> None:
        """`least` has the weight of the facts of each pattern, in the order of the plan."""
        self.read = 0
        self._join = join
        self._lookups = [step.lookup for step in join.plan.steps]
        self._least = least
        self._after = after
        # Whether the next term may have very many rows; they are counted only if others would be read in vain.
        self._doubtful = crowded
        # Rows, and the answers that they made.
        self._rows = self._answers = 1

    def take(self, part: OfTerms, wanted: int, crowd: int) -> Taken:
        """The answers of the first of these terms, which come in order; of none if the first has more than a crowd."""
        source = self._join.source
        self._join.clock.check()
        most = min(max(ROWS, int(FOR_EACH * wanted * self._rows / self._answers)), MOST)
        if self._doubtful:
            crowd = max(crowd, most)
            rows = source.joined_number(self._lookups, OfTerms(part.column, part.terms[:1]), self._least, crowd + 1)
            if rows > crowd:
                return Taken([], 0)
            most = max(most, rows)
        found = source.joined_terms(self._lookups, part, self._least, most + 1, Slots(self._join.plan.selected))
        self._join.clock.passed(len(found))
        self.read += len(found) * len(self._lookups)
        terms = len(part.terms)
        if len(found) > most:
            # Of the last term, some rows may be missing.
            terms = bisect_left(part.terms, found[-1][0])
            found = found[: bisect_left(found, found[-1][0], key=itemgetter(0))]
            if not terms:
                self._doubtful = True
                return self.take(part, wanted, crowd)
        self._doubtful = terms < len(part.terms)
        # In the order of the rows, which is nearly that of the answers, so that little is left to sort.
        answers = dict.fromkeys(found)
        self._rows += len(found)
        self._answers += len(answers)
        after = self._after
        return Taken(sorted(answers if after is None else [one for one in answers if one > after]), terms)


class FactsOfAnswers:
    """The facts of answers, read together once those of one of them are asked for."""

    def __init__(
        self, question: Question[int], order: Sequence[int], source: JoiningSource, weights: Sequence[float]
    ) -> None:
        """`weights` are those of the facts of each pattern, in this order."""
        self._source = source
        self._least = weights
        self._places = sorted(range(len(order)), key=lambda place: order[place])
        self._lookups: list[Lookup] = []
        slots: dict[Variable, int] = {variable: slot for slot, variable in enumerate(question.selected)}
        filled = len(question.selected)
        for place in order:
            for variable in variables([question.patterns[place]]):
                slots.setdefault(variable, len(slots))
            self._lookups.append(lookup_of(question.patterns[place], slots, filled))
            filled += len(self._lookups[-1].taken)
        self._answers: list[Terms] = []
        self._found: dict[Terms, tuple[Fact, ...]] = {}

    def add(self, answers: Sequence[Terms]) -> None:
        self._answers += answers

    def of(self, answer: Terms) -> tuple[Fact, ...]:
        """The facts of an answer that was added, in the order of the question."""
        if not self._found:
            self._read(self._answers, MOST)
        if answer not in self._found:
            # Others have too many ways in which they are answers.
            self._read([answer], 1)
        return self._found[answer]

    def _read(self, answers: Sequence[Terms], limit: int) -> None:
        for row in self._source.joined(self._lookups, answers, self._least, limit):
            answer = answers[row[0]]
            if answer not in self._found:
                facts = facts_of_row(self._lookups, answer, row)
                self._found[answer] = tuple([facts[place] for place in self._places])
