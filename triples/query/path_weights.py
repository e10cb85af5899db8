"""Which weights the rounds of a search for paths begin with: about so great that a path is found, and not much lower.

What can be read around both ends cheaply gives ways of two facts from each. Whether two of them are joined is a matter
of chance: the more facts there are in all, the more pairs must be tried. So a round is for paths that are as heavy as
the heaviest pairs, as many as usually have one that is joined; and the next round is for some times as many.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from heapq import nlargest
from typing import NamedTuple

from triples.query.lookups import JoiningSource
from triples.query.path_facts import PathQuestion, arm_ends
from triples.query.path_reads import Reads
from triples.query.path_round import MOST_READ

# Of so many facts of the graph, one pair is among the first that are tried. In generated graphs of one and of ten
# million facts, half of the best paths are among twice as many.
_FACTS_FOR_A_PAIR = 32_768
_LEAST_PAIRS, _TIMES_AS_MANY = 8, 3
# How exactly a weight is found.
_HALVINGS = 7
_CLEARLY_LESS = 0.97
# Where there are no more pairs, the weight falls once more by this factor.
_LAST = 0.3
# Only the heaviest facts around an end are followed, and of a hub only the weights of the heaviest are looked at.
_FOLLOWED, _LOOKED_AT = 32, 64
# Of the facts of a hub, one of so many is taken for one of the heaviest.
_HEAVY = 8


class _Ways(NamedTuple):
    """The weights of ways from an end, in rising order; and whether facts of different weights were seen."""

    weights: Sequence[float]
    differ: bool


def weights_to_try(question: PathQuestion, source: JoiningSource, reads: tuple[Reads, Reads]) -> Iterator[float]:
    """Falling weights for rounds; none if all facts seem to have the weight 1."""
    one = _ways(question, source, reads[0], forward=True)
    other = _ways(question, source, reads[1], forward=False)
    if not (one.differ or other.differ) or not one.weights or not other.weights:
        return
    pairs = max(source.size() // _FACTS_FOR_A_PAIR, _LEAST_PAIRS)
    weight = 2.0
    while pairs < len(one.weights) * len(other.weights):
        next_weight = _nth(one.weights, other.weights, pairs)
        if next_weight < weight * _CLEARLY_LESS:
            weight = next_weight
            yield weight
        pairs *= _TIMES_AS_MANY
    yield min(weight, one.weights[-1] * other.weights[-1]) * _LAST


def _ways(question: PathQuestion, source: JoiningSource, reads: Reads, *, forward: bool) -> _Ways:
    end = question.start if forward else question.goal
    if hubs := reads.hubs([end], 0.0):
        kinds = question.kinds(forward=forward)
        found = [fact.weight for kind in kinds for fact in source.block(arm_ends(end, kind), None, _LOOKED_AT)]
        return _Ways(sorted(found + [max(found)] * (hubs[end] // _HEAVY)), min(found) < 1)
    reads.read([end], 0.0, MOST_READ)
    near = {fact.end: fact.weight for fact in sorted(reads.around(end), key=lambda fact: fact.weight)}
    followed = dict(nlargest(_FOLLOWED, near.items(), key=lambda one: one[1]))
    hubs = reads.hubs(followed, 0.0)
    lights = [term for term in followed if term not in hubs]
    reads.read(lights, 0.0, MOST_READ)
    differ = min(near.values(), default=1.0) < 1
    found = [followed[term] for term, facts in hubs.items() for _ in range(facts // _HEAVY)]
    for term in lights:
        weight = followed[term]
        for fact in reads.around(term):
            found.append(weight * fact.weight)
            differ = differ or fact.weight < 1
    return _Ways(sorted(found), differ)


def _nth(some: Sequence[float], others: Sequence[float], number: int) -> float:
    """About the product of the pair that comes at this place among all pairs, the heaviest first."""
    low, high = 0.0, some[-1] * others[-1]
    number_of_others = len(others)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = sum([number_of_others - bisect_left(others, middle / weight) for weight in some if weight > 0])
        low, high = (middle, high) if found > number else (low, middle)
    return low
