"""Terms with their folded texts. Those that are not indexed yet are kept from one search to the next."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from triples.folding import searched_forms
from triples.store.sessions import Fetch
from triples.store.term_index import Found, TermIndex


class FoldedTerms(NamedTuple):
    """Ids, texts and folded texts, in the same order."""

    ids: list[int]
    texts: list[str]
    folded: list[str]

    def at(self, place: int) -> tuple[int, str, str]:
        return self.ids[place], self.texts[place], self.folded[place]

    @classmethod
    def together(cls, several: "Sequence[FoldedTerms]") -> "FoldedTerms":
        joined = cls([], [], [])
        for terms in several:
            joined.ids.extend(terms.ids)
            joined.texts.extend(terms.texts)
            joined.folded.extend(terms.folded)
        return joined


_NONE = FoldedTerms([], [], [])


def folded_terms(terms: Sequence[Found]) -> FoldedTerms:
    texts = [text for _, text in terms]
    return FoldedTerms([id_ for id_, _ in terms], texts, searched_forms(texts))


class NewestTerms:
    """The terms that are not in the index yet. Each is read and folded once, though every search compares all of them.

    A text that has an id never changes. Where the last one is not the same any more, it is another database.
    """

    def __init__(self, index: TermIndex) -> None:
        self._index = index
        # The first id that was not in the index, and the terms from there on. Threads share them, so they are replaced
        # and never changed.
        self._known = 0, _NONE

    def read(self, fetch: Fetch) -> FoldedTerms:
        since, known = self._known
        last = known.ids[-1] if known.ids else 0
        first, found = self._index.newest(fetch, last)
        if last and (first < since or not found or found[0] != (last, known.texts[-1])):
            # The last one has been indexed or deleted, or this read sees an older state than that of the known terms.
            known = _NONE
            first, found = self._index.newest(fetch, 0)
        elif last:
            found = found[1:]
        indexed = bisect_left(known.ids, first)
        rest = FoldedTerms(known.ids[indexed:], known.texts[indexed:], known.folded[indexed:]) if indexed else known
        newest = FoldedTerms.together([rest, folded_terms(found)]) if found else rest
        if newest is not known or first != since:
            self._known = first, newest
        return newest
