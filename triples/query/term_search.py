"""Search of terms by name: exactly, by how they begin, by what they contain, and in spite of typos.

Texts are compared folded; see `triples.folding`. The index picks candidates, at most `CAP` for each question put to it,
and the texts of these are compared. So a list is complete, or as long as it may be; of more terms than that which begin
with what was typed, or contain it, the best of those that were compared come first.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Literal, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from triples.folding import GRAM, START, fold, trigrams
from triples.query.term_arms import MOST, RAREST, Frequencies, Span, marked, outside, two_typos, whole
from triples.store.term_index import Found

CAP = 300
# Of terms with typos few are meant: where there are more candidates, the next question is narrower.
TYPO_CAP = 100
# How often the index is asked for terms with typos.
_MOST_ARMS = 12

Match = Literal["prefix", "substring", "fuzzy"]
# The terms that have all of some trigrams, up to a number.
Candidates = Callable[[Sequence[str], int], list[Found]]


class Kind(IntEnum):
    """How a term matches; those that match better come first."""

    EXACT = 1
    PREFIX = 2
    SUBSTRING = 3
    FUZZY = 4


class Hit(NamedTuple):
    id: int
    text: str
    kind: Kind
    score: float


# From the score of a kind's worst match to that of its best.
_SCORES = {Kind.EXACT: (1.0, 1.0), Kind.PREFIX: (0.75, 1.0), Kind.SUBSTRING: (0.5, 0.75), Kind.FUZZY: (0.0, 0.5)}
SPELLINGS = (str, str.lower, str.upper, str.capitalize, str.title)
# What the index is asked for, one after the other.
_KINDS: dict[Match | None, tuple[Kind, ...]] = {
    None: (Kind.SUBSTRING, Kind.FUZZY),
    "prefix": (Kind.PREFIX,),
    "substring": (Kind.SUBSTRING,),
    "fuzzy": (Kind.FUZZY,),
}


class Search:
    """One search: candidates come in, the best of them go out."""

    def __init__(self, typed: str, match: Match | None, limit: int) -> None:
        self._typed = typed
        self.folded = fold(typed)
        self._form = marked(self.folded)
        self.limit = limit
        self._match = match
        self._edits = edits_allowed(len(self.folded)) if match in {None, "fuzzy"} else 0
        self._hits: dict[int, Hit] = {}

    def run(self, candidates: Candidates, frequencies: Frequencies) -> None:
        """Ask the index for one kind after the other, until there are enough."""
        for kind in _KINDS[self._match]:
            self._ask(kind, candidates, frequencies)
            if self._enough(kind) or self._is_exact:
                break

    def compare(self, terms: Sequence[Found]) -> int:
        """Keep those that match; how many do."""
        folded = [text.lower() if text.isascii() else fold(text) for _, text in terms]
        places = {place for place, other in enumerate(folded) if self.folded in other}
        if self._edits:
            # All of them in one step, which takes half of the time of a step for each.
            near = process.extract_iter(self.folded, folded, scorer=OSA.distance, score_cutoff=self._edits)
            places.update(place for _, _, place in near)
        hits = [hit for place in places if (hit := self._hit(*terms[place], folded[place])) is not None]
        self._hits.update((hit.id, hit) for hit in hits)
        return len(hits)

    @property
    def spellings(self) -> list[str]:
        """What was typed, as it is usually written: how short texts are found that very many begin with."""
        return [spelling(self._typed) for spelling in SPELLINGS]

    @property
    def ranked(self) -> list[Hit]:
        """The hits, the best first; of equal ones the term that was typed, then those that were there first.

        Without typos if a term is just what was typed, unless they are asked for.
        """
        last = Kind.SUBSTRING if self._match is None and self._is_exact else Kind.FUZZY
        return sorted((hit for hit in self._hits.values() if hit.kind <= last), key=self._rank)

    def _rank(self, hit: Hit) -> tuple[int, float, bool, int]:
        return hit.kind, -hit.score, hit.text != self._typed, hit.id

    @property
    def _is_exact(self) -> bool:
        """Whether a term is just what was typed, so that no typo has to be assumed."""
        return any(hit.kind is Kind.EXACT for hit in self._hits.values())

    def _enough(self, kind: Kind) -> bool:
        return sum(hit.kind <= kind for hit in self._hits.values()) >= self.limit

    def _ask(self, kind: Kind, candidates: Candidates, frequencies: Frequencies) -> None:
        look_up = _LookUp(self, candidates, frequencies)
        if kind is Kind.SUBSTRING:
            # Which may be all that begin so, and all that are no longer.
            if len(self.folded) >= GRAM and not look_up.all_of(trigrams(self.folded)):
                return
            self._ask(Kind.PREFIX, candidates, frequencies)
        elif kind is Kind.PREFIX:
            # Of very many that begin so, those that are no longer may not be among the first.
            if look_up.all_of(trigrams(START + self.folded)) and not self._is_exact:
                look_up.all_of(trigrams(self._form))
        else:
            if self._match == "fuzzy" and not self._edits:
                look_up.all_of(trigrams(self._form))
            if self._edits:
                look_up.with_typo(self._form, whole(self.folded))
            # Where one typo explains nothing.
            if self._edits > 1 and not self._hits:
                for grams in two_typos(self._form):
                    look_up.rarest_of(grams)

    def _hit(self, id_: int, text: str, folded: str) -> Hit | None:
        kind = self._kind(folded)
        if kind is None:
            return None
        low, high = _SCORES[kind]
        likeness = OSA.normalized_similarity(self.folded, folded)
        return Hit(id_, text, kind, low + (high - low) * likeness)

    def _kind(self, folded: str) -> Kind | None:
        if folded == self.folded:
            return Kind.EXACT
        if self._match != "fuzzy":
            if folded.startswith(self.folded):
                return Kind.PREFIX
            if self._match != "prefix" and len(self.folded) >= GRAM and self.folded in folded:
                return Kind.SUBSTRING
        edits = self._edits
        if edits and OSA.distance(self.folded, folded, score_cutoff=edits) <= edits:
            return Kind.FUZZY
        return None


class _LookUp:
    """The questions that a search puts to the index."""

    def __init__(self, search: Search, candidates: Candidates, frequencies: Frequencies) -> None:
        self._search = search
        self._candidates = candidates
        self._frequencies = frequencies
        self._arms = 0
        # Whether there may be more terms than were compared, by the trigrams that were looked up.
        self._full: dict[frozenset[str], bool] = {frozenset(): True}

    def all_of(self, grams: Sequence[str]) -> bool:
        """Compare terms with all of the trigrams; whether there may be more of them."""
        terms = self._candidates(self._frequencies.rarest(grams, RAREST), CAP)
        matching = self._search.compare(terms)
        if len(terms) == CAP and matching < self._search.limit and len(grams) > RAREST:
            terms = self._candidates(self._frequencies.rarest(grams, MOST), CAP)
            self._search.compare(terms)
        return len(terms) == CAP

    def rarest_of(self, grams: Sequence[str]) -> bool:
        """Compare terms that have the rarest of the trigrams; whether there may be more of them."""
        chosen = self._frequencies.rarest(grams, RAREST) if grams else []
        # The rarest of a narrower span are often those of a wider one.
        if (asked := frozenset(chosen)) not in self._full:
            self._arms += 1
            terms = self._candidates(chosen, TYPO_CAP)
            self._search.compare(terms)
            self._full[asked] = len(terms) == TYPO_CAP
        return self._full[asked]

    def with_typo(self, form: str, typo: Span) -> None:
        """Compare terms that are the form but for a typo there; of spans the widest first."""
        arms = self._frequencies.one_typo(form, TYPO_CAP)
        full = [arm.spoilt for arm in arms if self.rarest_of(arm.grams)]
        # With a typo that spoils none of them, a term is found by each.
        waiting = full if len(full) < len(arms) else [typo]
        while waiting and self._arms < _MOST_ARMS:
            typo = waiting.pop(0)
            if self.rarest_of(outside(form, typo)) and (halves := typo.halves):
                waiting += halves


def edits_allowed(letters: int) -> int:
    """How many typos a text of this length may have; of one or two letters another text would be as likely meant."""
    if letters < GRAM:
        return 0
    return 1 if letters == GRAM else 2 if letters <= 8 else 3
