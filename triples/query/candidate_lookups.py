"""The questions that a search of terms puts to the index: by which trigrams, and how many terms it may answer."""

from collections.abc import Callable, Collection, Sequence

from triples.folding import START
from triples.query.trigram_choice import MOST, RAREST, Arm, Frequencies, Span, looked_up, outside, two_typos, whole
from triples.store.term_index import Found

CAP = 300
# Of terms with typos few are meant: where there are more candidates, the next question is narrower.
TYPO_CAP = 100
# How often the index is asked for terms with typos.
MOST_ARMS = 12
# How many terms it may answer in all, of which a part is compared; so many for each that is wanted, if that is more.
PART_CAP, PART_CAP_EACH = 400, 10
# Where so many times as many terms are to be expected as may be compared, they are not asked for.
_HOPELESS = 50
# Of a longer text, two typos leave several trigrams.
_SHORT = 8

# The terms that have all of some trigrams, up to a number.
Candidates = Callable[[Sequence[str], int], list[Found]]
# Takes the terms of an answer; how many of them match.
Compare = Callable[[Sequence[Found]], int]


class Remembered:
    """Candidates of one search, of which nothing is asked twice.

    Where all terms with some trigrams are known, those with more trigrams are among them. So they stand for the answer,
    though some have not all of the trigrams: each is compared anyhow.
    """

    def __init__(self, candidates: Candidates, *, all_terms: bool = True) -> None:
        """`all_terms` is false if a condition leaves some out, so that an answer with few may lack others."""
        self._candidates = candidates
        self._all_terms = all_terms
        self._complete: list[tuple[frozenset[str], list[Found]]] = []
        # How many were wanted, and the first ones.
        self._asked: dict[frozenset[str], tuple[int, list[Found]]] = {}

    def __call__(self, grams: Sequence[str], most: int) -> list[Found]:
        asked = frozenset(grams)
        for fewer, terms in self._complete:
            if len(terms) < most and fewer <= asked:
                return terms
        wanted, terms = self._asked.get(asked, (0, []))
        if wanted < most:
            terms = self._candidates(grams, most)
            self._asked[asked] = most, terms
            if self._all_terms and len(terms) < most:
                self._complete.append((asked, terms))
        return terms[:most]


class LookUp:
    """The questions for matches of one kind, within the limits above."""

    def __init__(
        self,
        compare: Compare,
        candidates: Candidates,
        frequencies: Frequencies,
        *,
        most: int = MOST_ARMS * TYPO_CAP,
        explained: Callable[[], bool] = lambda: False,
    ) -> None:
        """`most` is how many terms with typos the index may answer in all.

        `explained` tells that what was typed needs no narrower questions, since what was meant is found.
        """
        self._explained = explained
        self._compare = compare
        self._candidates = candidates
        self._frequencies = frequencies
        self._left = most
        self._arms = 0
        # Whether there may be more terms than were compared, by the trigrams that were looked up.
        self._full: dict[frozenset[str], bool] = {frozenset(): True}

    def all_of(self, grams: Sequence[str], enough: int) -> bool:
        """Compare terms with all of the trigrams; whether there may be more of them."""
        terms = self._candidates(self._frequencies.rarest(grams, RAREST), CAP)
        matching = self._compare(terms)
        if len(terms) == CAP and matching < enough and len(grams) > RAREST:
            terms = self._candidates(self._frequencies.rarest(grams, MOST), CAP)
            self._compare(terms)
        return len(terms) == CAP

    def are_many(self, grams: Sequence[str]) -> bool:
        """True if `all_of` can be expected to find no more than the first terms of them."""
        return self._frequencies.least(self._frequencies.rarest(grams, RAREST)) > CAP

    def rarest_of(self, grams: Sequence[str]) -> bool:
        """Compare terms that have the rarest of the trigrams; whether there may be more of them."""
        chosen = self._frequencies.rarest(grams, RAREST) if grams else []
        if chosen and self._full.get(frozenset(chosen)):
            chosen = self._frequencies.rarest(grams, RAREST + 1, len(chosen) + 1)
        return self._ask(chosen, TYPO_CAP)

    def full(self, arms: Sequence[Arm]) -> list[Span]:
        """Compare terms by each of the arms; the spans of those by which there may be more."""
        return [arm.spoilt for arm in arms if self.rarest_of(arm.grams)]

    def with_typo(self, form: str, typo: Span, inner: Collection[str] = ()) -> bool:
        """Compare terms that have the form but for a typo there; of spans the widest first.

        Whether there may be more of them.
        """
        arms = self._frequencies.one_typo(form, TYPO_CAP, inner)
        full = self.full(arms)
        # With a typo that spoils none of them, a term is found by each.
        waiting = full if len(full) < len(arms) else [typo]
        more = False
        while waiting and not self._explained() and self._arms < MOST_ARMS and self._left:
            typo = waiting.pop(0)
            if self.rarest_of(outside(form, typo)):
                waiting += typo.halves or ()
                more |= typo.halves is None
        return more or bool(waiting)

    def typo_in_part(self, form: str) -> None:
        """Like `with_typo`, wherever in a term the form stands."""
        # Where too many terms have it anywhere, or it is too short, those that begin with it are found.
        if self.with_typo(form, Span(0, len(form))):
            self.with_typo(START + form, whole(form))

    def two_typos(self, form: str) -> None:
        """Compare terms that have the form but for two typos, wherever in a term it stands."""
        if len(form) > _SHORT:
            for grams in two_typos(form):
                self.rarest_of(grams)
            return
        # Any one trigram may be the only one that is left, or one and the first letter.
        rare = self._frequencies.by_rarity(looked_up(form))
        full = [gram for gram in rare if self._ask([gram], TYPO_CAP)]
        for gram in full:
            self._ask([START + form[0], gram], TYPO_CAP)
        for gram in full:
            self._compare(self._taken([gram], self._left))

    def _ask(self, grams: Sequence[str], most: int) -> bool:
        # The rarest of a narrower span are often those of a wider one.
        if (asked := frozenset(grams)) not in self._full:
            self._arms += 1
            most = min(most, self._left)
            # Of very many terms, the first hundred are seldom those that are looked for.
            if self._frequencies.least(grams) > _HOPELESS * most:
                self._full[asked] = True
                return True
            terms = self._taken(grams, most)
            self._compare(terms)
            self._full[asked] = len(terms) == most
        return self._full[asked]

    def _taken(self, grams: Sequence[str], most: int) -> list[Found]:
        terms = self._candidates(grams, most) if most else []
        self._left -= len(terms)
        return terms
