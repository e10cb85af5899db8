"""Statistics of the graph, at a cost that does not grow with the number of facts."""

from collections.abc import Sequence
from typing import NamedTuple

from triples.store.backend import backend
from triples.store.dialect import Dialect
from triples.store.inferred.read_snapshots import VisibleFacts
from triples.store.inferred.state import State
from triples.store.sessions import Fetch

# Only this many predicates are listed; the others are only counted.
MOST_PREDICATES = 100

_TALLY = "SELECT coalesce(sum(triples), 0), coalesce(sum(subjects), 0) FROM triples_tally"
# Each text is a subquery: for a join, PostgreSQL might read all terms.
_PREDICATES = (
    "SELECT (SELECT text FROM triples_term WHERE id = c.predicate_id), c.facts, c.predicates"
    " FROM (SELECT predicate_id, sum(facts) AS facts, count(*) OVER () AS predicates FROM triples_predicatetally"
    " GROUP BY predicate_id HAVING sum(facts) > 0 ORDER BY sum(facts) DESC, predicate_id"
    f" LIMIT {MOST_PREDICATES}) AS c ORDER BY c.facts DESC, c.predicate_id"
)
_OF_PREDICATE = (
    "SELECT coalesce(sum(facts), 0) FROM triples_predicatetally"
    " WHERE predicate_id = (SELECT id FROM triples_term WHERE {} = ?)"
)

_BY_ID = "SELECT coalesce(sum(facts), 0) FROM triples_predicatetally WHERE predicate_id = ?"


class PredicateCount(NamedTuple):
    """The number of facts with a predicate."""

    predicate: str
    facts: int


class Statistics(NamedTuple):
    triples: int
    subjects: int
    predicates: int
    size_bytes: int
    # The state after the last run; None if there has been none.
    recursion: State | None
    # The most frequent predicates, most frequent first.
    by_predicate: Sequence[PredicateCount]


def statistics(fetch: Fetch, shown: VisibleFacts | None = None) -> Statistics:
    [(triples, subjects)] = fetch(_TALLY, [])
    by_predicate, predicates = frequent_predicates(fetch)
    size = backend().upkeep.size(fetch)
    return Statistics(
        int(triples),
        int(subjects),
        predicates,
        size,
        None if shown is None else shown.state,
        by_predicate,
    )


def frequent_predicates(fetch: Fetch) -> tuple[list[PredicateCount], int]:
    """The most frequent predicates, most frequent first, and how many predicates there are."""
    rows = fetch(_PREDICATES, [])
    return [PredicateCount(text, int(facts)) for text, facts, _ in rows], rows[0][2] if rows else 0


def tallied(fetch: Fetch, dialect: Dialect, predicate: int | None = None) -> int:
    """The number of asserted facts, of all or of the predicate with this id."""
    if predicate is None:
        return int(fetch(_TALLY, [])[0][0])
    return int(fetch(dialect.prepared(_BY_ID), [predicate])[0][0])


def tallied_facts(fetch: Fetch, predicate: str | None = None) -> int:
    """The number of asserted facts, of all or of one predicate."""
    dialect = backend().dialect
    if predicate is None:
        return tallied(fetch, dialect)
    statement = dialect.prepared(_OF_PREDICATE.format(dialect.term_key))
    return int(fetch(statement, [dialect.key_of(predicate)])[0][0])
