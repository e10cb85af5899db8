"""Shares: work that does not fit into memory is done for some of the subjects at a time."""

from collections.abc import Callable
from typing import TypeVar

# A share that does not fit is divided by this, until there are MOST_SHARES.
SHARES_OF_A_SHARE = 8
MOST_SHARES = 64

Part = TypeVar("Part")


def in_shares(action: Callable[[str], Part]) -> list[Part]:
    """Call `action` for each share with the SQL condition that a subject is in it; return the results.

    Raises MemoryError when even the smallest share does not fit.
    """
    shares = 1
    while True:
        try:
            return [action(f"subject % {shares} = {number}") for number in range(shares)]
        except MemoryError:
            if shares == MOST_SHARES:
                raise
            shares *= SHARES_OF_A_SHARE
