"""Search of terms by name: exactly, by how they begin, by what they contain, and in spite of typos.

Terms with typos are looked for where better ones are too few: first those that are the text but for typos, then those
of which a part is; see `triples.query.typos_in_parts`.

Texts are compared folded; see `triples.folding`. The index picks candidates, at most `CAP` for each question put to it,
and the texts of these are compared. So a list is complete, or as long as it may be; of more terms than that which begin
with what was typed, or contain it, the best of those that were compared come first.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Literal, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from triples.folding import GRAM, START, fold, searched_forms, trigrams
from triples.query.candidate_lookups import PART_CAP, PART_CAP_EACH, Candidates, LookUp
from triples.query.trigram_choice import Frequencies, looked_up, marked, whole
from triples.query.typos_in_parts import MOST_EDITS, Part, TypedPart, edits_allowed
from triples.store.term_index import Found

Match = Literal["prefix", "substring", "fuzzy"]


class Kind(IntEnum):
    """The ways in which a term matches; better ones come first."""

    EXACT = 1
    PREFIX = 2
    SUBSTRING = 3
    FUZZY = 4
    # With typos in a part of the term.
    PART = 5


class Hit(NamedTuple):
    id: int
    text: str
    kind: Kind
    score: float


# From the score of a kind's worst match to that of its best.
_SCORES = {Kind.EXACT: (1.0, 1.0), Kind.PREFIX: (0.75, 1.0), Kind.SUBSTRING: (0.5, 0.75), Kind.FUZZY: (0.0, 0.5)}
# The most that a part scores, which is the least of `Kind.FUZZY`: such a term is half alike or more.
_PART_SCORE = 0.25
SPELLINGS = (str, str.lower, str.upper, str.capitalize, str.title)
# What the index is asked for, one after the other.
_KINDS: dict[Match | None, tuple[Kind, ...]] = {
    None: (Kind.SUBSTRING, Kind.FUZZY, Kind.PART),
    "prefix": (Kind.PREFIX,),
    "substring": (Kind.SUBSTRING,),
    "fuzzy": (Kind.FUZZY, Kind.PART),
}


def _part_score(part: Part) -> float:
    return _PART_SCORE * (MOST_EDITS - part.typos + part.share) / (MOST_EDITS + 1)


class Search:
    """One search: candidates come in, the best of them go out."""

    def __init__(self, typed: str, match: Match | None, limit: int) -> None:
        self._typed = typed
        self.folded = fold(typed)
        self._form = marked(self.folded)
        self.limit = limit
        self._match = match
        self._edits = edits_allowed(len(self.folded)) if match in {None, "fuzzy"} else 0
        self.part = TypedPart(self.folded)
        # What was compared, or is still to be, by id: texts and folded texts.
        self._terms: dict[int, tuple[str, str]] = {}
        self._compared = set[int]()
        self._hits: dict[int, Hit] = {}

    def run(self, candidates: Candidates, frequencies: Frequencies) -> None:
        """Ask the index for one kind after the other, until there are enough."""
        for kind in _KINDS[self._match]:
            self._ask(kind, candidates, frequencies)
            # Parts, which take longest, are not looked at for a name that was typed in full.
            if self._enough(kind) or (kind is Kind.FUZZY and self._match is None and self._is_exact):
                break

    def compare(self, terms: Sequence[Found]) -> int:
        """Keep those that match; how many do."""
        fresh = [term for term in terms if term[0] not in self._compared]
        # What one question has found, others find as well.
        matching = sum(id_ in self._hits for id_, _ in terms) if len(fresh) < len(terms) else 0
        ids, texts = [id_ for id_, _ in fresh], [text for _, text in fresh]
        self._compared.update(ids)
        folded = searched_forms(texts)
        places = {place for place, other in enumerate(folded) if self.folded in other}
        if self._edits:
            # All of them in one step, which takes half of the time of a step for each.
            near = process.extract_iter(self.folded, folded, scorer=OSA.distance, score_cutoff=self._edits)
            places.update(place for _, _, place in near)
        hits = [hit for place in places if (hit := self._hit(*fresh[place], folded[place])) is not None]
        self._hits.update((hit.id, hit) for hit in hits)
        if self._edits:
            self._terms.update(zip(ids, zip(texts, folded, strict=True), strict=True))
        return matching + len(hits)

    def compare_parts(self, edits: int) -> None:
        """Keep those of all terms so far of which a part is the text but for so many typos, if better ones are few."""
        if not edits or self._enough(Kind.FUZZY):
            return
        others = [(id_, *texts) for id_, texts in self._terms.items() if id_ not in self._hits]
        near = self.part.nearest([folded for _, _, folded in others], edits)
        for place, part in near.items():
            id_, text, folded = others[place]
            self._hits[id_] = self._hit(id_, text, folded) or Hit(id_, text, Kind.PART, _part_score(part))

    def _collect(self, terms: Sequence[Found]) -> int:
        """Keep terms for `compare_parts`, which takes less time for many at once; how many are new."""
        fresh = [term for term in terms if term[0] not in self._terms]
        texts = [text for _, text in fresh]
        self._terms.update(zip([id_ for id_, _ in fresh], zip(texts, searched_forms(texts), strict=True), strict=True))
        return len(fresh)

    @property
    def spellings(self) -> list[str]:
        """The typed text as it is usually written, so that a short text is found though very many begin with it."""
        return [spelling(self._typed) for spelling in SPELLINGS]

    @property
    def ranked(self) -> list[Hit]:
        """The hits, the best first; of equal ones the term that was typed, then those that were there first."""
        return sorted(self._hits.values(), key=self._rank)

    def _rank(self, hit: Hit) -> tuple[int, float, bool, int]:
        return hit.kind, -hit.score, hit.text != self._typed, hit.id

    @property
    def _is_exact(self) -> bool:
        """True if a term is just what was typed, so that no typo has to be assumed."""
        return any(hit.kind is Kind.EXACT for hit in self._hits.values())

    def _enough(self, kind: Kind) -> bool:
        return sum(hit.kind <= kind for hit in self._hits.values()) >= self.limit

    def _ask(self, kind: Kind, candidates: Candidates, frequencies: Frequencies) -> None:
        if kind is Kind.PART:
            if self.part.edits:
                self._ask_parts(candidates, frequencies)
            return
        look_up = LookUp(self.compare, candidates, frequencies)
        if kind is Kind.SUBSTRING:
            # Which may be all that begin so, and all that are no longer.
            if len(self.folded) >= GRAM and not look_up.all_of(trigrams(self.folded), self.limit):
                return
            self._ask(Kind.PREFIX, candidates, frequencies)
        elif kind is Kind.PREFIX:
            # Of very many that begin so, those that are no longer may not be among the first.
            if look_up.all_of(trigrams(START + self.folded), self.limit) and not self._is_exact:
                look_up.all_of(trigrams(self._form), self.limit)
        elif self._edits:
            look_up.with_typo(self._form, whole(self.folded))
        elif self._match == "fuzzy":
            look_up.all_of(trigrams(self._form), self.limit)

    def _ask_parts(self, candidates: Candidates, frequencies: Frequencies) -> None:
        most = max(PART_CAP, PART_CAP_EACH * self.limit)
        look_up = LookUp(self._collect, candidates, frequencies, most)
        # Where one typo explains a whole term, or none is needed, no second one is assumed.
        explained = bool(self._hits)
        # Otherwise the terms that contain the text have been asked for.
        if self._match == "fuzzy" or self.part.form != self.folded:
            look_up.rarest_of(looked_up(self.part.form))
        look_up.typo_in_part(self.part.form)
        self.compare_parts(1)
        if self.part.edits > 1 and not explained and not self._enough(Kind.PART):
            look_up.two_typos(self.part.form)
            self.compare_parts(self.part.edits)

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
