"""The search of terms as a read: where its candidates come from, and what is told of those that it finds."""

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from triples.folding import SEARCHED
from triples.query.candidate_lookups import TYPO_CAP, Remembered
from triples.query.facts_by_key import texts_by_ids
from triples.query.folded_terms import NewestTerms
from triples.query.predicates import predicate_ids
from triples.query.term_places import FactCounts, Place, as_keys, count_facts, given_terms, stands_in
from triples.query.term_search import Hit, Match, Search
from triples.query.trigram_choice import SAMPLE, Frequencies
from triples.store.dialect import Dialect
from triples.store.fact_tables import InferredFilter
from triples.store.inferred.key_batches import batches
from triples.store.inferred.read_snapshots import VisibleFacts
from triples.store.sessions import Fetch, Rows
from triples.store.term_index import ANY_TERM, BEGINNING, Found, TermIndex

# Fewer predicates are compared one by one: where only they are wanted, the index would find other terms for the most
# part.
_FEW_PREDICATES = 2_000
_NEWEST = (
    "SELECT (SELECT coalesce(max(id), 0) FROM triples_term), (SELECT coalesce(sum(triples), 0) FROM triples_tally)"
)
# Facts have no more terms than this, each.
_TERMS_OF_A_FACT = 3


class WantedTerms(NamedTuple):
    """A search: a clean text, how it may match, and where in facts the terms must stand."""

    text: str
    match: Match | None
    position: Place | None
    limit: int


class FoundTerm(NamedTuple):
    hit: Hit
    facts: FactCounts


class TermSearcher:
    """Searches the terms of a database, and remembers how frequent their trigrams are."""

    def __init__(self, dialect: Dialect, index: TermIndex) -> None:
        self._dialect = dialect
        self._index = index
        self._newest = NewestTerms(index)
        self._sampled: tuple[int, int, Frequencies] = (0, 0, Frequencies(()))

    def search(self, fetch: Fetch, shown: VisibleFacts | None, wanted: WantedTerms) -> list[FoundTerm]:
        """The best matches that stand in facts, the best first; none of a text that is longer than what is searched."""
        if len(wanted.text) > SEARCHED:
            return []
        visible = None if shown is None else shown.filter
        search = Search(wanted.text, wanted.match, wanted.limit)
        few = self._few_predicates(fetch, visible) if wanted.position == "predicate" else None
        if few is not None:
            search.compare(few)
            search.compare_parts(search.part.edits)
        else:
            where = stands_in(wanted.position, self._dialect, visible) if wanted.position else ANY_TERM
            # First: whatever is indexed between two statements is found twice instead of never.
            if wanted.position:
                search.compare(self._index.unindexed(fetch, where))
            else:
                search.compare_folded(self._newest.read(fetch))

            def spelt(texts: Sequence[str]) -> Rows:
                keys = orjson.dumps(list(map(self._dialect.key_of, texts))).decode()
                found = f"{self._dialect.term_key} {self._dialect.is_one_of_texts} AND {where}"
                return fetch(f"SELECT t.id, {BEGINNING} FROM triples_term AS t WHERE {found}", [keys])

            search.compare(spelt(search.spellings))
            if search.beginning:
                search.compare(self._index.beginning(fetch, search.beginning, where, TYPO_CAP))
            frequencies = self._frequencies(fetch)

            def candidates(grams: Sequence[str], most: int) -> list[Found]:
                return self._index.candidates(fetch, grams, where, most)

            # What a condition leaves out is not all that there is.
            search.run(Remembered(candidates, all_terms=not wanted.position), frequencies, spelt)
        return self._in_facts(fetch, visible, search.ranked, wanted.limit)

    def _in_facts(self, fetch: Fetch, visible: InferredFilter | None, ranked: list[Hit], limit: int) -> list[FoundTerm]:
        """The first that stand in any facts: terms outlive their facts until the next vacuum."""
        found: list[FoundTerm] = []
        while ranked and len(found) < limit:
            wanted = limit - len(found)
            counts = count_facts(fetch, self._dialect, visible, [hit.id for hit in ranked[:wanted]])
            found += [FoundTerm(hit, counts[hit.id]) for hit in ranked[:wanted] if any(counts[hit.id])]
            ranked = ranked[wanted:]
        return self._in_full(fetch, found)

    def _in_full(self, fetch: Fetch, found: list[FoundTerm]) -> list[FoundTerm]:
        """The terms with the whole of their texts."""
        cut = [(one.hit.id,) for one in found if len(one.hit.text) > SEARCHED]
        statement = texts_by_ids(self._dialect)
        whole = {id_: text for batch in batches(cut) for id_, text in fetch(statement, [batch])} if cut else {}
        return [one._replace(hit=one.hit._replace(text=whole.get(one.hit.id, one.hit.text))) for one in found]

    def _few_predicates(self, fetch: Fetch, visible: InferredFilter | None) -> list[Found] | None:
        """All predicates; None if they are many."""
        ids = predicate_ids(fetch, self._dialect, visible, limit=_FEW_PREDICATES + 1)
        if len(ids) > _FEW_PREDICATES:
            return None
        texts = (
            f"SELECT t.id, {BEGINNING} FROM {given_terms(self._dialect)}"
            f" {self._dialect.join} triples_term AS s ON s.id = t.id"
        )
        return [(id_, text) for id_, text in fetch(texts, (as_keys(ids),))]

    def _frequencies(self, fetch: Fetch) -> Frequencies:
        """The frequencies in a sample, which is taken again once there are twice as many terms or facts, or half."""
        newest, facts, frequencies = self._sampled
        [(newest_now, facts_now)] = fetch(_NEWEST, ())
        # With an id that is less it is another database.
        if not (newest <= newest_now < 2 * newest and facts / 2 <= facts_now <= 2 * facts):
            # Where very many terms were deleted, there are far fewer than ids, and many points of the sample meet the
            # same one behind the gap.
            texts = list(dict.fromkeys(self._index.sample(fetch, SAMPLE)))
            frequencies = Frequencies(texts, min(newest_now, _TERMS_OF_A_FACT * int(facts_now)))
            self._sampled = newest_now, int(facts_now), frequencies
        return frequencies
