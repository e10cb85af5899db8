"""Labels of blank nodes that keep those of different files apart, and are the same whenever a file is read."""

import re
from collections.abc import Callable
from functools import cached_property
from hashlib import blake2b

# What a label ends in when it has been made here: the mark says how, the digits of which file.
_OWN = re.compile(r"[\w.-]*\.[ax][0-9a-f]{10}", re.ASCII)
# The parser gives a node without a label such a random one: a number of 128 bits without zeros before it.
_RANDOM = re.compile(r"[a-f][0-9a-f]{19,31}")


def is_own_label(label: str) -> bool:
    return _OWN.fullmatch(label) is not None


class BlankNodes:
    """The labels of the blank nodes of one file."""

    def __init__(self, digest: Callable[[], str], *, numbered: bool) -> None:
        """`digest` returns ten hexadecimal digits of the file's content. If `numbered`, random labels become numbers.

        Only the order of these nodes is the same whenever the file is read.
        """
        self._find_digest = digest
        self._numbered = numbered
        self._numbers: dict[str, int] = {}

    def label(self, label: str) -> str:
        if is_own_label(label):
            return label
        if self._numbered and _RANDOM.fullmatch(label):
            number = self._numbers.setdefault(label, len(self._numbers) + 1)
            return f"{number}.a{self._digest}"
        if not label.isascii():
            # It may have characters that are stored as others.
            label = blake2b(label.encode(), digest_size=10).hexdigest()
        return f"{label}.x{self._digest}"

    @cached_property
    def _digest(self) -> str:
        return self._find_digest()
