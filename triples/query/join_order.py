"""The order in which patterns are joined, by looking: how many facts each has, and how many follow from a few of them.

Counts are exact up to a limit, and cost no more than that. What a pattern adds is measured on a sample of partial
answers, which follow the heaviest facts (the walks of Li et al., "Wander join", SIGMOD 2016), so skewed data and
correlated patterns need no statistics.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triples.patterns import Variable, variables
from triples.query.blocks import NO_TERM, Ends, Source
from triples.query.questions import AskedPattern, Question

# The most facts of a pattern that are counted.
MOST_COUNTED = 5_000
# Counting ends at the first number times the fewest facts, but not before the second number.
_FAR = 20
_FEWEST_COUNTED = 100
# The number of partial answers in the sample, and the most facts that are counted after each.
_SAMPLE = 4
_MOST_FOLLOWING = 200

_Binding = Mapping[Variable, int]


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


def join_order(question: Question[int], source: Source, first: Variable | None = None) -> JoinOrder:
    """The pattern with the fewest facts comes first, then always the one that leaves the fewest partial answers.

    With `first`, the first pattern is one of those with this variable.
    """
    patterns = question.patterns
    sizes = _sizes(patterns, source)
    waiting = sorted(range(len(patterns)), key=lambda place: sizes[place])
    places: list[int] = []
    estimates: list[float] = []
    sample: list[_Binding] = [{}]
    partial_answers = 1.0
    while waiting:
        bound = set(variables([patterns[place] for place in places]))
        if places:
            # What is not connected multiplies the partial answers by all of its facts, which may not have been counted.
            allowed = [place for place in waiting if not bound.isdisjoint(variables([patterns[place]]))] or waiting
        else:
            allowed = [place for place in waiting if first in patterns[place]] or waiting
        factors = {place: _factor(patterns[place], bound, sizes[place], sample, source) for place in allowed}
        place = min(allowed, key=lambda place: (factors[place], sizes[place]))
        waiting.remove(place)
        places.append(place)
        partial_answers *= factors[place]
        estimates.append(partial_answers)
        sample = _following(patterns[place], sample, source)
    return JoinOrder(tuple(places), tuple(estimates), tuple(sizes[place] for place in places))


def _sizes(patterns: Sequence[AskedPattern[int]], source: Source) -> list[int]:
    """The number of facts of each pattern. A number that is far from the least need not be counted to the end."""
    sizes = [0] * len(patterns)
    limit = MOST_COUNTED
    for place in sorted(range(len(patterns)), key=lambda place: -_constants(patterns[place])):
        sizes[place] = _number(source, _ends(patterns[place], {}), limit)
        limit = min(limit, max(_FEWEST_COUNTED, _FAR * sizes[place]))
    return sizes


def _constants(pattern: AskedPattern[int]) -> int:
    return sum(isinstance(place, int) for place in pattern)


def _factor(
    pattern: AskedPattern[int], bound: set[Variable], size: int, sample: Sequence[_Binding], source: Source
) -> float:
    """By how much a pattern multiplies the partial answers."""
    if bound.isdisjoint(variables([pattern])):
        return float(size)
    if not sample:
        return min(1.0, float(size))
    return sum(_number(source, _ends(pattern, row), _MOST_FOLLOWING) for row in sample) / len(sample)


def _following(pattern: AskedPattern[int], sample: Sequence[_Binding], source: Source) -> list[_Binding]:
    """A few partial answers that are grown from these by the pattern."""
    found: list[_Binding] = []
    for row in sample:
        ends = _ends(pattern, row)
        for fact in () if NO_TERM in ends else source.block(ends, None, _SAMPLE):
            grown = dict(row)
            if all(
                grown.setdefault(place, term) == term
                for place, term in zip(pattern, fact.key, strict=True)
                if isinstance(place, Variable)
            ):
                found.append(grown)
    # Some of each, so that one hub does not stand for all.
    return found[:: max(1, len(found) // _SAMPLE)][:_SAMPLE]


def _ends(pattern: AskedPattern[int], binding: _Binding) -> Ends:
    subject, predicate, object_ = (binding.get(place) if isinstance(place, Variable) else place for place in pattern)
    return subject, predicate, object_


def _number(source: Source, ends: Ends, limit: int) -> int:
    return 0 if NO_TERM in ends else source.number(ends, limit)
