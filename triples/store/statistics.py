"""What the graph is made of, at a cost that does not grow with it."""

from typing import NamedTuple

from triples.store.backend import backend
from triples.store.inferred.reading import VisibleFacts
from triples.store.inferred.state import State
from triples.store.sessions import Fetch

# Each predicate is found by one step in the index behind the one before it.
_PREDICATES = (
    "WITH RECURSIVE used (id) AS (SELECT min(predicate_id) FROM triples_triple UNION ALL"
    " SELECT (SELECT min(predicate_id) FROM triples_triple WHERE predicate_id > used.id) FROM used"
    " WHERE used.id IS NOT NULL) SELECT count(id) FROM used"
)
_TALLY = "SELECT coalesce(sum(triples), 0), coalesce(sum(subjects), 0) FROM triples_tally"


class Statistics(NamedTuple):
    triples: int
    subjects: int
    predicates: int
    size_bytes: int
    # As of the last run; None when there has been none.
    recursion: State | None


def statistics(fetch: Fetch, shown: VisibleFacts | None = None) -> Statistics:
    [(triples, subjects)] = fetch(_TALLY, [])
    [(predicates,)] = fetch(_PREDICATES, [])
    size = backend().upkeep.size(fetch)
    return Statistics(int(triples), int(subjects), predicates, size, None if shown is None else shown.state)
