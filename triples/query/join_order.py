"""The order in which patterns are joined, by looking: how many facts each has, and how many follow from a few of them.

Counts are exact up to a limit, and cost no more than that. What a pattern adds is measured on a sample of partial
answers, which follow the heaviest facts (the walks of Li et al., "Wander join", SIGMOD 2016), so skewed data and
correlated patterns need no statistics.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from triples.patterns import Variable, variables
from triples.query.blocks import NO_TERM, Ends, Fact, Source
from triples.query.lookups import JoiningSource, Lookup, Terms, ends_of, lookup_of
from triples.query.questions import AskedPattern, Question

# The most facts of a pattern that are counted.
MOST_COUNTED = 5_000
# Counting ends at the first number times the fewest facts, but not before the second number.
_FAR = 20
_FEWEST_COUNTED = 100
# The number of partial answers in the sample, and the most facts that are counted after all of them.
_SAMPLE = 32
_MOST_FOLLOWING = 2_048
# What the sample does not meet, one of so many times as many partial answers may meet.
_RARE = 8
# If a term is in more than one of so many of the first facts, which weigh the same, others are looked at, too.
_SHARED = 4
# If very many facts follow the sample, those of so many of its partial answers are read, each by itself, so that one
# hub does not stand for all.
_APART = 4


@dataclass(frozen=True, slots=True)
class JoinOrder:
    """The places of the patterns in the order of joining, and for each how many partial answers it should leave."""

    places: tuple[int, ...]
    estimates: tuple[float, ...]
    # How many facts match each pattern by its constants alone, as far as they were counted; in the order of joining.
    facts: tuple[int, ...]

    @property
    def is_empty(self) -> bool:
        return 0 in self.facts


class _Next(NamedTuple):
    """A pattern that may come next; the least of them does."""

    # By how much it multiplies the partial answers.
    factor: float
    size: int
    place: int


def join_order(question: Question[int], source: JoiningSource, first: Variable | None = None) -> JoinOrder:
    """The pattern with the fewest facts comes first, then always the one that leaves the fewest partial answers.

    With `first`, the first pattern is one of those with this variable.
    """
    patterns = question.patterns
    sizes = _sizes(patterns, source)
    waiting = sorted(range(len(patterns)), key=lambda place: sizes[place])
    places: list[int] = []
    estimates: list[float] = []
    sample = _Sample(source)
    partial_answers = 1.0
    while waiting:
        if places:
            # What is not connected multiplies the partial answers by all of its facts, which may not have been counted.
            allowed = [place for place in waiting if sample.binds(patterns[place])] or waiting
        else:
            allowed = [place for place in waiting if first in patterns[place]] or waiting
        alone = len(allowed) == 1
        best: _Next | None = None
        for place in allowed:
            # Of one that costs more, it is enough to know that.
            factor = sample.factor(patterns[place], sizes[place], inf if best is None else best.factor, alone=alone)
            one = _Next(factor, sizes[place], place)
            best = one if best is None else min(best, one)
        assert best is not None
        waiting.remove(best.place)
        places.append(best.place)
        partial_answers *= best.factor
        estimates.append(partial_answers)
        if waiting:
            sample.grow(patterns[best.place], best.factor)
    return JoinOrder(tuple(places), tuple(estimates), tuple(sizes[place] for place in places))


class _Sample:
    """Partial answers that begin with the heaviest facts of the first pattern."""

    def __init__(self, source: JoiningSource) -> None:
        self._source = source
        self._slots: dict[Variable, int] = {}
        self._rows: list[Terms] = [()]
        # Whether these are all partial answers.
        self._whole = True

    def binds(self, pattern: AskedPattern[int]) -> bool:
        """True if a variable of the pattern is bound."""
        return not self._slots.keys().isdisjoint(variables([pattern]))

    def factor(self, pattern: AskedPattern[int], size: int, least: float, *, alone: bool) -> float:
        """By how much a pattern, which has so many facts, multiplies the partial answers; or any number over `least`.

        `alone`: there is no other one to compare with.
        """
        if not self.binds(pattern):
            return float(size)
        found = 0
        if self._rows:
            lookup = lookup_of(pattern, self._slots, len(self._slots))
            # One more than the least number of facts, which is rounded.
            limit = _MOST_FOLLOWING if least == inf else min(_MOST_FOLLOWING, int(least * len(self._rows)) + 2)
            found = self._source.joined_number([lookup], self._rows, [0.0], limit)
        if found or self._whole:
            return found / len(self._rows) if found else 0.0
        # Where the sample meets nothing, what is met now and then may still be a lot.
        return min((1.0 if alone else self._crowd(pattern)) / (_RARE * _SAMPLE), float(size))

    def _crowd(self, pattern: AskedPattern[int]) -> float:
        """The mean number of facts that share their bound terms with one fact of the pattern; of a few facts."""
        facts = self._source.block(ends_of(pattern), None, _SAMPLE)
        bound = [variable for variable in variables([pattern]) if variable in self._slots]
        columns = [pattern.index(variable) for variable in bound]
        rows = _spread([tuple([fact.key[column] for column in columns]) for fact in facts], 2 * _APART)
        slots = {variable: slot for slot, variable in enumerate(bound)}
        lookup = lookup_of(pattern, slots, len(slots))
        return self._source.joined_number([lookup], rows, [0.0], _MOST_FOLLOWING) / len(rows) if rows else 0.0

    def grow(self, pattern: AskedPattern[int], factor: float) -> None:
        """Join a pattern that multiplies the partial answers by this factor."""
        bound = len(self._slots)
        for variable in variables([pattern]):
            self._slots.setdefault(variable, len(self._slots))
        lookup = lookup_of(pattern, self._slots, bound)
        found = round(factor * len(self._rows))
        if not found:
            self._rows = []
        elif not bound:
            self._rows = self._grown([()], [self._first(lookup.constants, found)], lookup)
        elif found > _SAMPLE:
            self._rows = self._following(lookup)
        else:
            taken = [1 + lookup.free.index(column) for column in lookup.taken]
            joined = self._source.joined([lookup], self._rows, [0.0], _SAMPLE)
            self._rows = [self._rows[row[0]] + tuple([row[column] for column in taken]) for row in joined]

    def _first(self, ends: Ends, facts: int) -> list[Fact]:
        """The heaviest facts of so many; of those that weigh the same and were added together, only some."""
        block = list(self._source.block(ends, None, _SAMPLE))
        self._whole &= len(block) < _SAMPLE
        last = block[-1] if len(block) == _SAMPLE else None
        if last is None or last.id is None or last.weight < block[0].weight or not _share_a_term(block, ends):
            return block
        each = _SAMPLE // _APART
        spread = block[:each]
        for place in range(1, _APART):
            id_ = self._source.id_at(ends, last.weight, 0, min(facts, MOST_COUNTED) * place // _APART)
            if id_ is not None:
                spread += self._source.block(ends, last._replace(id=id_), each)
        return spread

    def _following(self, lookup: Lookup) -> list[Terms]:
        rows = _spread(self._rows, _APART)
        each = _SAMPLE // len(rows)
        blocks = [self._source.block(lookup.ends(row), None, each) for row in rows]
        self._whole &= len(rows) == len(self._rows) and all(len(block) < each for block in blocks)
        return self._grown(rows, blocks, lookup)

    @staticmethod
    def _grown(rows: Sequence[Terms], blocks: Sequence[Sequence[Fact]], lookup: Lookup) -> list[Terms]:
        grown = (lookup.extended(row, fact.key) for row, block in zip(rows, blocks, strict=True) for fact in block)
        return [row for row in grown if row is not None]


def _share_a_term(facts: Sequence[Fact], ends: Ends) -> bool:
    """True if a subject or an object that is not given is in many of these facts."""
    free = [column for column in (0, 2) if ends[column] is None]
    shared = [max(Counter(fact.key[column] for fact in facts).values()) for column in free]
    return any(number * _SHARED > len(facts) for number in shared)


def _spread(rows: Sequence[Terms], most: int) -> Sequence[Terms]:
    """So many of the rows, evenly spread."""
    return rows[:: max(1, len(rows) // most)][:most]


def _sizes(patterns: Sequence[AskedPattern[int]], source: Source) -> list[int]:
    """The number of facts of each pattern. A number that is far from the least need not be counted to the end."""
    sizes = [0] * len(patterns)
    limit = MOST_COUNTED
    for place in sorted(range(len(patterns)), key=lambda place: -_constants(patterns[place])):
        sizes[place] = _number(source, ends_of(patterns[place]), limit)
        limit = min(limit, max(_FEWEST_COUNTED, _FAR * sizes[place]))
    return sizes


def _constants(pattern: AskedPattern[int]) -> int:
    return sum(isinstance(place, int) for place in pattern)


def _number(source: Source, ends: Ends, limit: int) -> int:
    return 0 if NO_TERM in ends else source.number(ends, limit)
