"""Typos within a part of a term: one of its words, as many words in a row as were typed, or its beginning.

What stands between two words does not count. It is pure.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA, LCSseq

from triples.folding import GRAM, words
from triples.query.trigram_choice import GAP

MOST_EDITS = 3


class Part(NamedTuple):
    """The part of a term that is nearest to the text."""

    typos: int
    # Of the letters of the term.
    share: float


class TypedPart:
    """A folded text to be compared with parts of terms."""

    def __init__(self, folded: str) -> None:
        typed = words(folded)
        self.form = GAP.join(typed)
        self.edits = edits_allowed(len(self.form))
        self._words = len(typed)

    def nearest(self, folded: Sequence[str], edits: int) -> dict[int, Part]:
        """The nearest part of each folded text, by its place; without those that have more typos."""
        parts: list[str] = []
        owners: list[tuple[int, int]] = []
        for place in self._alike(folded, edits):
            found = words(folded[place])
            whole = GAP.join(found)
            parts += found if self._words == 1 else self._in_a_row(found)
            shortest, longest = max(len(self.form) - edits, 1), min(len(self.form) + edits, len(whole))
            parts += [whole[:length] for length in range(shortest, longest + 1)]
            owners += [(place, len(whole))] * (len(parts) - len(owners))
        nearest: dict[int, Part] = {}
        for text, typos, index in process.extract_iter(self.form, parts, scorer=OSA.distance, score_cutoff=edits):
            place, length = owners[index]
            part = Part(int(typos), len(text) / length)
            if place not in nearest or _order(part) < _order(nearest[place]):
                nearest[place] = part
        return nearest

    def _in_a_row(self, found: Sequence[str]) -> list[str]:
        """All runs of as many words as the text has."""
        return [GAP.join(found[first : first + self._words]) for first in range(len(found) - self._words + 1)]

    def _alike(self, folded: Sequence[str], edits: int) -> list[int]:
        """The places of those that have enough letters of the text in its order: few, and found in one step."""
        letters = len(self.form) - self.form.count(GAP) - edits
        alike = process.extract_iter(self.form, folded, scorer=LCSseq.similarity, score_cutoff=max(letters, 1))
        return [place for _, _, place in alike]


def _order(part: Part) -> tuple[int, float]:
    """Fewer typos first, then the greater share."""
    return part.typos, -part.share


def edits_allowed(letters: int) -> int:
    """The number of typos in a text of this length: none in one or two letters, which may as well mean another text."""
    if letters < GRAM:
        return 0
    return 1 if letters == GRAM else 2 if letters <= 8 else MOST_EDITS
