"""The choice of the trigrams by which candidates are looked up. It is pure.

The lists of frequent trigrams are long, and to intersect all of a text's takes many times as long as its few rarest
ones do. How frequent a trigram is tells a sample of the terms.

A typo spoils one at most of several trigrams that stand far enough apart. So of the rarest such ones, all but one are
looked up, leaving out each in turn. Where these find too many terms, the typo is near the one left out, and all other
trigrams are there.

Where a text is too short for that, the places where the typo may be are halved: whatever half it is in, the trigrams
outside of that half are there. As long as these find too many, the half is halved again. Halves overlap by one, so that
two letters that changed places stand in one of them.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations, pairwise
from math import prod
from typing import NamedTuple

from triples.folding import END, GRAM, START, indexed_form, trigrams

# Stands for whatever is between two words, in forms of parts of terms: no trigram reaches over it.
GAP = "\x04"

# Of the trigrams that must all be there, these many are looked up.
RAREST = 3
# Where those find too many.
MOST = 8
# Of a trigram in so many of the terms, the list takes longer than what it leaves out.
FREQUENT = 0.02
# So few terms are compared sooner than looked up by another trigram.
FEW = 50
# How many trigrams are chosen of which a typo may spoil one.
FEWEST_APART, MOST_APART = 3, 5
# So many times as often as by chance, two trigrams of a text stand in another one together.
LINKED = 20
# Terms in the sample that frequencies are counted in.
SAMPLE = 5_000


class Span(NamedTuple):
    """The position of a typo: in the marked form from `begin` to before `end`."""

    begin: int
    end: int

    @property
    def halves(self) -> "tuple[Span, Span] | None":
        """None if it is too short to be halved."""
        if self.end - self.begin <= 2:
            return None
        middle = (self.begin + self.end) // 2
        return Span(self.begin, middle + 1), Span(middle, self.end)


class Arm(NamedTuple):
    """Trigrams that are there unless the typo is in this span."""

    grams: list[str]
    spoilt: Span


class Frequencies:
    """The frequencies of trigrams, estimated from a sample of the terms."""

    def __init__(self, texts: Sequence[str], terms: int = 0) -> None:
        """`terms` is how many there are, of which the texts are a sample."""
        self._terms, self._sample = terms, max(len(texts), 1)
        forms = list(map(indexed_form, texts))
        self._counts = Counter(gram for form in forms for gram in trigrams(form))
        # The most frequent first.
        self.letters = [letter for letter, _ in Counter("".join(forms)).most_common()]
        self._frequent = len(texts) * FREQUENT

    def rarest(self, grams: Sequence[str], number: int, fewest: int = 1) -> list[str]:
        """The rarest of them, so many at most, the rarest first; fewer if these leave few terms, but for `fewest`.

        Those that overlap another say little more than that one, so others come before them.
        """
        apart = self._apart(grams, GRAM)
        chosen = self._short([grams[place] for place in apart[:number]])
        if len(chosen) < number:
            rest = [grams[place] for place in self._rarest_first(grams) if place not in apart]
            chosen += self._short(rest[: number - len(chosen)])
        if not chosen:
            return [grams[place] for place in apart[:1]]
        # Each list is read to its end.
        fewest = next((n for n in range(fewest, len(chosen)) if self._expected(chosen[:n]) < FEW), len(chosen))
        return chosen[:fewest]

    def _short(self, grams: Sequence[str]) -> list[str]:
        """Those with lists that are not too long."""
        return [gram for gram in grams if self._counts[gram] <= self._frequent]

    def by_rarity(self, grams: Sequence[str]) -> list[str]:
        return sorted(grams, key=lambda gram: self._counts[gram])

    def one_typo(self, form: str, most: int, inner: Collection[str] = ()) -> list[Arm]:
        """Sets of trigrams of which a typo leaves at least one; none if the form is too short.

        Each finds fewer terms than `most`, as far as can be told. If possible, they are of the `inner` trigrams.
        """
        grams = [form[place : place + GRAM] for place in range(len(form) - GRAM + 1)]
        # Two letters that change places spoil four trigrams, any other typo three at most.
        rare = self._apart(grams, GRAM + 1)
        if inner:
            within = self._apart([gram if gram in inner else GAP for gram in grams], GRAM + 1)
            rare = within if len(within) >= FEWEST_APART else rare
        rare = rare[:MOST_APART]
        number = FEWEST_APART
        while number < len(rare) and self._expected([grams[place] for place in rare[1:number]]) > most:
            number += 1
        if len(rare) < number:
            return []
        return [
            Arm([grams[other] for other in rare[:number] if other != place], Span(max(place - 1, 0), place + GRAM + 1))
            for place in rare[:number]
        ]

    def _apart(self, grams: Sequence[str], distance: int) -> list[int]:
        """The places of the rarest trigrams, the rarest first, that are so far from each other."""
        apart: list[int] = []
        near = {place for place, gram in enumerate(grams) if GAP in gram}
        for place in self._rarest_first(grams):
            if place not in near:
                apart.append(place)
                near.update(range(place - distance + 1, place + distance))
        return apart

    def _rarest_first(self, grams: Sequence[str]) -> list[int]:
        """The places of the trigrams."""
        counts = [self._counts.get(gram, 0) for gram in grams]
        return sorted(range(len(grams)), key=counts.__getitem__)

    def least(self, grams: Sequence[str]) -> float:
        """The number of terms that have all of the trigrams, as if these had nothing to do with each other."""
        return self._terms * prod(self._counts[gram] / self._sample for gram in grams)

    def _expected(self, grams: Sequence[str]) -> float:
        """The estimated number of terms that have all of the trigrams."""
        shares = [max(self._counts[gram], 0.5) / self._sample for gram in grams]
        return float(self._terms * prod(shares) * LINKED ** (len(grams) - 1))


def marked(folded: str) -> str:
    return f"{START}{folded}{END}"


def whole(folded: str) -> Span:
    """All places of the marked form where a typo may be."""
    return Span(len(START), len(START) + len(folded))


def outside(form: str, typo: Span) -> list[str]:
    """The trigrams that a typo there leaves."""
    return looked_up(form[: typo.begin], form[typo.end :])


def two_typos(form: str) -> Iterator[list[str]]:
    """Sets of trigrams of which two typos leave at least one: of two quarters, or of one third of a shorter text."""
    parts, kept = (4, 2) if len(form) >= 4 * GRAM else (3, 1)
    bounds = [len(form) * number // parts for number in range(parts + 1)]
    pieces = [form[begin:end] for begin, end in pairwise(bounds)]
    for chosen in combinations(pieces, kept):
        yield looked_up(*chosen)


def looked_up(*pieces: str) -> list[str]:
    """The different trigrams of these pieces of a form."""
    return list(dict.fromkeys(gram for piece in pieces for gram in trigrams(piece) if GAP not in gram))
