"""Joins in parts: the facts of the first pattern are taken heaviest first, and the database joins each part of them.

Once there are k answers, only what may be as heavy as the last of them is joined, and a part whose heaviest fact
cannot make such an answer is the end. So joins with few answers cost little more than the database takes to look at
them. Those of very many answers are better found fact by fact: `triples.query.ranked_join`.
"""

from math import inf, isqrt, prod

from triples.query import facts_parts
from triples.query.answers import Ranking
from triples.query.blocks import OutOfTime, TooMany
from triples.query.facts_parts import Begin, FactsPart, narrow_part, next_size
from triples.query.lookups import Between, Part
from triples.query.parts_join import PartsJoin
from triples.weights import FAR_FROM_NOTHING, ROUNDED_DOWN, least_rest

# The facts in the first part.
FIRST = 512
# A part is wide if it has more than one of so many of all facts: to pass over a fact takes a thirtieth of the time of
# reading it, and to meet it in the order of a column the second number. Then it has at least one of the third.
WIDE, _MET, WIDEST = 24, 0.3, 4
# How many times more facts are joined than should have the answers that are wanted; and once there are enough of these,
# than so far, since each wide part takes the time to go through all facts.
_SPARE, _GROWTH = 1.5, 8
# The facts of one weight that are too many to be joined for the sake of their terms alone.
_MANY = 2_000
# What it costs to find a term in order, and to read an answer, in facts that are joined.
_TERM, _ANSWER = 1.5, 2
# So many answers of the greatest weight let expect how many there are; as long as there are no answers, so few.
_SEVERAL, _FOUND = 2, 0.1
# So many answers tell how heavy many more are.
_FEW = 3


class OnlyTies(Exception):
    """There are enough answers of the greatest weight; which of them come first is still to be found."""


def joined_in_parts(
    join: PartsJoin, facts: int, *, expected: float = inf, first: int = FIRST, by_term: int | None = None
) -> Ranking:
    """The first answers of a join, as `ranked` finds them; TooMany if it has too many rows.

    `facts` is how many the first pattern has, `expected` how many answers there should be, and `first` how many facts
    are joined at first. With `by_term`, the number of facts that have the first selected term, raises OnlyTies if there
    should be enough answers of the greatest weight, and the first of them by their terms are found faster in the order
    of these.
    """
    parts = _Parts(join, facts, expected, first)
    begin: Begin | None = Begin(1.0)
    bound = 1.0
    try:
        while begin is not None and (part := parts.next(begin)) is not None:
            if join.greatest is not None:
                join.forget_lighter()
                bound = join.product((part.heaviest, *join.greatest[1:]))
                if bound < join.least:
                    break
                if by_term is not None and parts.are_worse(begin, by_term):
                    raise OnlyTies
            try:
                if part.guess is None:
                    join.take(part.part)
                elif not parts.was_right(part.part, part.guess):
                    continue
            except TooMany:
                parts.make_smaller()
                continue
            begin = part.following
            if begin is not None and not join.know_greatest():
                break
            parts.adapt(part, begin)
    except OutOfTime:
        # Everything heavier than that is found, and of the rest something may be missing.
        return Ranking(join.page(above=bound), bound, join.read)
    everything = join.least == join.plan.min_weight
    return Ranking(join.page(), None, join.read, join.found if everything else None)


class _Parts:
    """The parts of a join, as large as what was found so far tells."""

    def __init__(self, join: PartsJoin, facts: int, expected: float, first: int) -> None:
        self._join = join
        self._facts = facts
        self._expected = expected
        self._ends = join.plan.steps[0].lookup.constants
        self._size = min(max(first, facts_parts.SMALLEST), facts_parts.LARGEST)
        self._taken = 0
        # The least number of facts in a wide part.
        self._wide = inf if join.scanned is None else facts // WIDE
        self._guesses = True

    def next(self, begin: Begin) -> FactsPart | None:
        """The next part; None if there are no more facts."""
        self._join.clock.check()
        # The first part tells how many rows there may be.
        if self._taken and self._size > self._wide:
            return self._next_wide(begin, max(self._size, self._facts // WIDEST))
        return narrow_part(self._join.source, self._ends, begin, self._size)

    def make_smaller(self) -> None:
        """After a part of too many rows."""
        if self._join.greatest is None or self._size == 1:
            raise TooMany
        self._size = min(max(self._size // 4, 1), facts_parts.LARGEST)
        self._wide = inf

    def was_right(self, part: Part, guess: float) -> bool:
        """Join a part for answers of a weight that was guessed; if fewer than wanted have it, it is to be repeated."""
        # From here on, what was found bounds the rest.
        self._guesses = False
        if self._join.takes_enough(part, guess):
            return True
        self._size = self._facts
        return False

    def adapt(self, part: FactsPart, begin: Begin | None) -> None:
        """After a part was joined."""
        self._taken += part.size
        self._size = next_size(self._size, self._join.seconds)
        if begin is not None and (needed := self._needed()) > self._wide and self._has_wide(begin):
            self._size = needed

    def are_worse(self, begin: Begin, terms: int) -> bool:
        """True if it costs less to find the first answers in the order of their terms, of which there are so many."""
        join = self._join
        assert join.greatest is not None
        if begin.weight < join.greatest[0]:
            return False
        top = join.product(join.greatest)
        ties = join.found if join.least == top else join.number_of(top)
        if ties < min(_SEVERAL, join.wanted):
            return False
        # What a fact costs with its answers, if these are as many as before.
        cost = (1 if self._wide == inf else _MET) + _ANSWER * ties / self._taken
        # Of so many facts, the answers let expect that fewer terms are needed.
        many = isqrt(int(_TERM * terms * join.wanted * self._taken / (ties * cost)))
        # And of so many, that there are enough answers.
        enough = int(2 * join.wanted * self._taken / ties) - self._taken
        return self._has_ties(begin, max(int(_MANY / cost), many, enough))

    def _needed(self) -> int:
        """An estimate of the number of facts that must still be joined; at most all of them."""
        join = self._join
        if join.found >= join.wanted:
            # What is joined after that may be bounded better.
            return _GROWTH * self._taken
        found = max(join.found, min(1.0, self._expected * self._taken / self._facts), _FOUND)
        return min(self._facts, int(_SPARE * self._taken * join.wanted / found))

    def _has_ties(self, begin: Begin, number: int) -> bool:
        """True if more than this number of facts of the same weight are left."""
        source = self._join.source
        if begin.after is not None:
            return source.id_at(self._ends, begin.weight, begin.after, number) is not None
        return source.weight_at(self._ends, begin.weight, number) == source.weight_at(self._ends, begin.weight, 0)

    def _has_wide(self, begin: Begin) -> bool:
        """True if as many facts as a wide part has are left that can be part of an answer."""
        join = self._join
        if join.found < join.wanted or join.greatest is None:
            return True
        lightest = join.source.weight_at(self._ends, begin.weight, int(self._wide))
        return lightest is not None and join.product((lightest, *join.greatest[1:])) >= join.least

    def _next_wide(self, begin: Begin, size: int) -> FactsPart | None:
        """Of so many facts or more: all of each weight, those that were joined before included."""
        source, ends = self._join.source, self._ends
        heaviest = source.weight_at(ends, begin.weight, 0)
        if heaviest is None:
            return None
        below = source.weight_at(ends, heaviest, size) if size < self._facts else None
        while below == heaviest:
            size *= 2
            below = source.weight_at(ends, heaviest, size)
        following = None if below is None else Begin(below)
        part = FactsPart(Between(heaviest, below or 0.0, self._join.scanned), size, heaviest, following)
        return self._guessed(part) if self._guesses else part

    def _guessed(self, part: FactsPart) -> FactsPart:
        """The part with the weight that the wanted answers should have at least, if that can be told."""
        join = self._join
        if join.greatest is None:
            return part
        # By so many of the heaviest answers so far; one alone might be far heavier than those that others let expect.
        guess = join.weight_of(_FEW + int(_SPARE * join.wanted * self._taken / part.size))
        if guess is None or guess <= max(join.least, FAR_FROM_NOTHING):
            return part
        # The weights of facts are compared once more when they are joined.
        above = least_rest(guess, prod(join.greatest[1:])) * ROUNDED_DOWN
        if part.following is None or part.following.weight > above:
            return part._replace(guess=guess)
        # What is lighter makes no answer that is heavy enough.
        return part._replace(part=Between(part.heaviest, above, join.scanned), following=None, guess=guess)
