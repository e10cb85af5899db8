"""Work that does not fit into memory, done in shares: of some subjects at a time."""

from collections.abc import Callable
from typing import TypeVar

# A share that does not fit is divided into so many, until there are the most.
SHARES_OF_A_SHARE = 8
MOST_SHARES = 64

Part = TypeVar("Part")


def in_shares(action: Callable[[str], Part]) -> list[Part]:
    """What `action` returns for each share, given the condition that a subject is in it.

    Raises MemoryError when the smallest share is too much.
    """
    shares = 1
    while True:
        try:
            return [action(f"subject % {shares} = {number}") for number in range(shares)]
        except MemoryError:
            if shares == MOST_SHARES:
                raise
            shares *= SHARES_OF_A_SHARE
