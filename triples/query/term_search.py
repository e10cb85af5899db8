"""Search of terms by name: exactly, by how they begin, by what they contain, and in spite of typos.

Terms with typos are looked for where better ones are too few: first those that are the text but for typos, then those
of which a part is; see `triples.query.typos_in_parts`.

Texts are compared folded; see `triples.folding`. The index picks candidates, at most `CAP` for each question put to it,
and the texts of these are compared. So a list is complete, or as long as it may be; of more terms than that which begin
with what was typed, or contain it, the best of those that were compared come first. Once a longer text is found in full
or but for one typo, the index is not asked again, more narrowly, where it knew too many candidates.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Literal, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from triples.folding import GRAM, START, fold, trigrams
from triples.query.candidate_lookups import PART_CAP, PART_CAP_EACH, TYPO_CAP, Candidates, LookUp
from triples.query.folded_terms import FoldedTerms, folded_terms
from triples.query.one_typo import SHORTEST, meant, spellings
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


class Likeness(IntEnum):
    """Orders terms with equally many typos; people seldom mistake the first letter."""

    SAME_LETTERS = 1
    SAME_BEGINNING = 2
    OTHER = 3


class Hit(NamedTuple):
    id: int
    text: str
    kind: Kind
    score: float
    likeness: Likeness


# From the score of a kind's worst match to that of its best.
_SCORES = {Kind.EXACT: (1.0, 1.0), Kind.PREFIX: (0.75, 1.0), Kind.SUBSTRING: (0.5, 0.75), Kind.FUZZY: (0.0, 0.5)}
# The most that a part scores, which is the least of `Kind.FUZZY`: such a term is half alike or more.
_PART_SCORE = 0.25
# Few terms contain a longer text, or are it but for a typo.
_LONG = 12
# The terms among some texts.
Spelt = Callable[[Sequence[str]], Sequence[Found]]
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
        self.part = TypedPart(self.folded)
        self._edits = 0
        if match in {None, "fuzzy"}:
            self._edits = 1 if len(self.folded) == SHORTEST else edits_allowed(len(self.folded))
        self._compared = set[int]()
        # What was compared with whole terms, or is still to be, and now waits for `compare_parts`.
        self._waiting: list[FoldedTerms] = []
        self._collected = set[int]()
        self._hits: dict[int, Hit] = {}
        self._one_typo = False
        self._inner: frozenset[str] = frozenset()

    def run(self, candidates: Candidates, frequencies: Frequencies, spelt: Spelt) -> None:
        """Ask the index for one kind after the other, until there are enough."""
        # By these, parts are found too, if they are looked for.
        self._inner = frozenset(trigrams(self.folded) if self._is_exact else looked_up(self.part.form))
        if self._edits and self._match is None and len(self.folded) > _LONG:
            # What these find in full, no other question has to.
            look_up = LookUp(self.compare, candidates, frequencies)
            look_up.full(frequencies.one_typo(self._form, TYPO_CAP, self._inner))
        for kind in _KINDS[self._match]:
            match kind:
                case Kind.PART:
                    if self.part.edits:
                        self._ask_parts(candidates, frequencies)
                case Kind.FUZZY:
                    self._ask_for_typos(candidates, frequencies, spelt)
                case _:
                    self._ask(kind, candidates, frequencies)
            # Parts, which take longest, are not looked at for a name that was typed in full.
            if self._enough(kind) or (kind is Kind.FUZZY and self._match is None and self._is_exact):
                break

    def compare(self, terms: Sequence[Found]) -> int:
        """Keep those that match; how many do."""
        fresh = [term for term in terms if term[0] not in self._compared]
        # What one question has found, others find as well.
        matching = sum(id_ in self._hits for id_, _ in terms) if len(fresh) < len(terms) else 0
        return matching + (self.compare_folded(folded_terms(fresh)) if fresh else 0)

    def compare_folded(self, terms: FoldedTerms) -> int:
        """`compare` of terms that were not compared before."""
        self._compared.update(terms.ids)
        folded = terms.folded
        places = [place for place, other in enumerate(folded) if self.folded in other]
        if self._edits:
            # All of them in one step, which takes half of the time of a step for each.
            near = process.extract_iter(self.folded, folded, scorer=OSA.distance, score_cutoff=self._edits)
            places = list({*places, *(place for _, _, place in near)})
            self._wait(terms)
        hits = [hit for place in places if (hit := self._hit(*terms.at(place))) is not None]
        self._hits.update((hit.id, hit) for hit in hits)
        return len(hits)

    def compare_parts(self, edits: int) -> None:
        """Keep those of all terms so far of which a part is the text but for so many typos, if better ones are few."""
        if not edits or self._enough(Kind.FUZZY):
            return
        terms = FoldedTerms.together(self._waiting)
        self._waiting = [terms]
        for place, part in self.part.nearest(terms.folded, edits).items():
            id_, text, folded = terms.at(place)
            if id_ not in self._hits:
                self._hits[id_] = self._hit(id_, text, folded) or Hit(
                    id_, text, Kind.PART, _part_score(part), Likeness.OTHER
                )

    def _wait(self, terms: FoldedTerms) -> None:
        self._collected.update(terms.ids)
        self._waiting.append(terms)

    def _collect(self, terms: Sequence[Found]) -> int:
        """Keep terms for `compare_parts`, which takes less time for many at once; how many are new."""
        fresh = [term for term in terms if term[0] not in self._collected]
        self._wait(folded_terms(fresh))
        return len(fresh)

    @property
    def spellings(self) -> list[str]:
        """The typed text as it is usually written, so that a short text is found though very many begin with it."""
        return spellings([self._typed])

    @property
    def beginning(self) -> str:
        """The first half of a longer text, as it was typed, which is right if the typo is in the other half."""
        return self._typed[: len(self._typed) // 2] if self._edits and len(self.folded) > _LONG else ""

    @property
    def ranked(self) -> list[Hit]:
        """The hits, the best first; of equal ones the term that was typed, then the likest, then the first stored."""
        return sorted(self._hits.values(), key=self._rank)

    def _rank(self, hit: Hit) -> tuple[int, float, bool, int, int]:
        return hit.kind, -hit.score, hit.text != self._typed, hit.likeness, hit.id

    @property
    def _is_typo(self) -> bool:
        """True if a name with a typo may have been typed. One that names begin with is rather not whole yet."""
        begun = self._match is None and any(hit.kind <= Kind.PREFIX for hit in self._hits.values())
        return bool(self._edits) and not begun

    @property
    def _is_exact(self) -> bool:
        """True if a term is just what was typed, so that no typo has to be assumed."""
        return any(hit.kind is Kind.EXACT for hit in self._hits.values())

    def _is_explained(self) -> bool:
        """True if a longer text is a whole term, or is one but for one typo: few others are so near to it."""
        return len(self.folded) > _LONG and (self._one_typo or self._is_exact)

    def _enough(self, kind: Kind) -> bool:
        return sum(hit.kind <= kind for hit in self._hits.values()) >= self.limit

    def _ask(self, kind: Kind, candidates: Candidates, frequencies: Frequencies) -> None:
        look_up = LookUp(self.compare, candidates, frequencies, explained=self._is_explained)
        if kind is Kind.SUBSTRING:
            grams = trigrams(self.folded)
            many = bool(grams) and look_up.are_many(grams)
            # They may be all that begin so, and all that are no longer.
            if not many and grams and not look_up.all_of(grams, self.limit):
                return
            self._ask(Kind.PREFIX, candidates, frequencies)
            if many and not self._enough(Kind.PREFIX):
                look_up.all_of(grams, self.limit)
        elif kind is Kind.PREFIX:
            # Of very many that begin so, those that are no longer may not be among the first.
            if look_up.all_of(trigrams(START + self.folded), self.limit) and not self._is_exact:
                look_up.all_of(trigrams(self._form), self.limit)
        else:
            if self._edits:
                look_up.with_typo(self._form, whole(self.folded), self._inner)
            if self._match == "fuzzy" and len(self.folded) < GRAM:
                look_up.all_of(trigrams(self._form), self.limit)

    def _ask_for_typos(self, candidates: Candidates, frequencies: Frequencies, spelt: Spelt) -> None:
        if self._is_typo and (texts := meant(self._typed, frequencies.letters)):
            self.compare(spelt(texts))
        # All that are just what was typed are known where terms that contain it were asked for.
        if self._match is not None or not self._enough(Kind.FUZZY):
            self._ask(Kind.FUZZY, candidates, frequencies)

    def _ask_parts(self, candidates: Candidates, frequencies: Frequencies) -> None:
        most = max(PART_CAP, PART_CAP_EACH * self.limit)
        look_up = LookUp(self._collect, candidates, frequencies, most=most, explained=self._is_explained)
        # Where one typo explains a whole term, or none is needed, no second one is assumed.
        explained = bool(self._hits)
        # Otherwise the terms that contain the text have been asked for.
        if (self._match == "fuzzy" or self.part.form != self.folded) and not self._is_explained():
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
        if kind is Kind.FUZZY:
            typos = OSA.distance(self.folded, folded)
            likeness = 1 - typos / max(len(self.folded), len(folded))
            self._one_typo |= typos <= 1
        else:
            # The text is a part of the term.
            likeness = len(self.folded) / len(folded)
        return Hit(id_, text, kind, low + (high - low) * likeness, self._likeness(folded))

    def _likeness(self, folded: str) -> Likeness:
        # Most terms differ in this already, and are not sorted.
        if len(folded) == len(self.folded) and sorted(folded) == sorted(self.folded):
            return Likeness.SAME_LETTERS
        return Likeness.SAME_BEGINNING if folded.startswith(self.folded[0]) else Likeness.OTHER

    def _kind(self, folded: str) -> Kind | None:
        if folded == self.folded:
            return Kind.EXACT
        if self._match != "fuzzy":
            if folded.startswith(self.folded):
                return Kind.PREFIX
            if self._match != "prefix" and len(self.folded) >= GRAM and self.folded in folded:
                return Kind.SUBSTRING
        edits = self._edits
        # Two letters may lack a third one. With another typo, they have but one letter of the term.
        may_be_meant = edits and (len(self.folded) >= GRAM or len(folded) == GRAM)
        if may_be_meant and OSA.distance(self.folded, folded, score_cutoff=edits) <= edits:
            return Kind.FUZZY
        return None
