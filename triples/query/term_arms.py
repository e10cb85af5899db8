"""Which trigrams candidates are looked up by. It is pure.

The lists of frequent trigrams are long, and to intersect all of a text's takes many times as long as its few rarest
ones do. How frequent a trigram is tells a sample of the terms.

A typo leaves what stands on both of its sides. So the places where it may be are halved: whatever half it is in, the
trigrams outside of that half are there. As long as these find too many terms, the half is halved again. Halves overlap
by one, so that two letters that changed places stand in one of them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import combinations, pairwise
from typing import NamedTuple

from triples.folding import END, GRAM, START, indexed_form, trigrams

# Of the trigrams that must all be there, these many are looked up.
RAREST = 3
# Where those find too many.
MOST = 12
# Terms in the sample that frequencies are counted in.
SAMPLE = 5_000


class Frequencies:
    """How often trigrams occur, as far as a sample of the terms tells."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._counts = Counter(gram for text in texts for gram in trigrams(indexed_form(text)))

    def rarest(self, grams: Collection[str], number: int) -> list[str]:
        """The rarest of them, the rarest first; of equally rare ones those that stand first."""
        return sorted(grams, key=self._counts.__getitem__)[:number]


class Span(NamedTuple):
    """Where a typo is: in the marked form from `begin` to before `end`."""

    begin: int
    end: int

    @property
    def halves(self) -> "tuple[Span, Span] | None":
        """None if it is too short to be halved."""
        if self.end - self.begin <= 2:
            return None
        middle = (self.begin + self.end) // 2
        return Span(self.begin, middle + 1), Span(middle, self.end)


def marked(folded: str) -> str:
    return f"{START}{folded}{END}"


def whole(folded: str) -> Span:
    """All places of the marked form where a typo may be."""
    return Span(len(START), len(START) + len(folded))


def outside(form: str, typo: Span) -> list[str]:
    """The trigrams that a typo there leaves."""
    return list(dict.fromkeys(trigrams(form[: typo.begin]) + trigrams(form[typo.end :])))


def two_typos(form: str) -> Iterator[list[str]]:
    """Sets of trigrams of which two typos leave at least one: of two quarters, or of one third of a shorter text."""
    parts, kept = (4, 2) if len(form) >= 4 * GRAM else (3, 1)
    bounds = [len(form) * number // parts for number in range(parts + 1)]
    pieces = [trigrams(form[begin:end]) for begin, end in pairwise(bounds)]
    for chosen in combinations(pieces, kept):
        yield list(dict.fromkeys(gram for piece in chosen for gram in piece))
