"""The rounding of weights: how those that the service computed are shown, and how far they may be off.

Weights that somebody gave are shown as given. A product of binary fractions has digits that nobody meant: 0.9 * 0.9 *
0.9 is 0.7290000000000001. Such weights are rounded for readers only: what is stored, compared, sorted by and put into
cursors keeps all digits.
"""

from functools import lru_cache

DIGITS = 15
# A bound that is a product or a quotient, times this, is below the exact one, unless it is hardly a number.
ROUNDED_DOWN = 1 - 1e-9
# Lighter products are hardly numbers, so that nothing is told of their rounding.
FAR_FROM_NOTHING = 1e-290


# A look-up takes a tenth of the time, and the weights of answers are much the same.
@lru_cache(maxsize=4096)
def computed(weight: float) -> float:
    """A weight that the service computed, rounded to 15 significant digits."""
    return float(f"{weight:.{DIGITS}g}")


def least_rest(least: float, weight: float) -> float:
    """No lighter rest makes a product of at least so much with the weight; 0 where numbers are too small to tell."""
    return least / weight * ROUNDED_DOWN if weight and least > FAR_FROM_NOTHING else 0.0
