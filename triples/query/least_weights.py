"""The least weights that facts must have to be part of an answer that is heavy enough."""

from collections.abc import Sequence
from math import prod

from triples.query.lookups import Between, OfTerms, OfWeight, Part
from triples.weights import ROUNDED_DOWN, least_rest


def least_weights(
    greatest: Sequence[float] | None, least: float, first: int, count: int, heaviest: float, part: Part | None = None
) -> list[float]:
    """The least weights of the facts of so many patterns from the first on, of a part if the first one is joined in it.

    `greatest` has the greatest weight of each pattern, as far as is known, `least` is that of an answer, and `heaviest`
    the greatest product of those facts that were joined before.
    """
    if greatest is None:
        return [0.0] * count
    rest = tuple(greatest[first:])
    match part:
        case Between(most=most):
            rest = (min(most, rest[0]), *rest[1:])
        case OfWeight(weight=weight):
            rest = (weight, *rest[1:])
        case OfTerms() | None:
            pass
    others = [heaviest * prod(rest[:number]) * prod(rest[number + 1 :]) for number in range(count)]
    # The answers' products are compared exactly.
    return [min(least_rest(least, one), ROUNDED_DOWN) for one in others]
