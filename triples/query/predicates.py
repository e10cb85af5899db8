"""The predicates of the graph: found one by one in the index, and counted by it."""

from functools import cache
from heapq import merge
from itertools import islice
from typing import NamedTuple

from triples.query.statements import Screen
from triples.query.term_places import as_keys, facts_of, given_terms
from triples.store.dialect import Dialect
from triples.store.inferred.layout import FACTS
from triples.store.inferred.reading import View
from triples.store.patterns import COUNT_LIMIT
from triples.store.sessions import Fetch


class Predicate(NamedTuple):
    """A predicate and how many facts it has, each number `COUNT_LIMIT` at most."""

    id: int
    text: str
    asserted: int
    inferred: int
    # Whether there are more.
    capped: bool


def predicates(fetch: Fetch, dialect: Dialect, view: View | None, *, limit: int, after: int) -> list[Predicate]:
    """The first predicates with facts whose ids come behind this one, by id.

    Each costs as much as its facts, up to the limit of counting.
    """
    screen = None if view is None else view.screen
    found: list[Predicate] = []
    while len(found) < limit and (ids := predicate_ids(fetch, dialect, screen, limit=limit - len(found), after=after)):
        # All inferred facts of one may be hidden.
        found += [one for one in _counted(fetch, dialect, screen, ids) if one.asserted or one.inferred]
        after = ids[-1]
    return found


def predicate_ids(fetch: Fetch, dialect: Dialect, screen: Screen | None, *, limit: int, after: int = 0) -> list[int]:
    """The first predicates behind this id: of asserted facts, and of inferred ones if any may be shown."""
    tables = ["triples_triple"] if screen is None else ["triples_triple", FACTS]
    found = [[id_ for (id_,) in fetch(_distinct(table, dialect), (after, limit))] for table in tables]
    return list(islice(dict.fromkeys(merge(*found)), limit))


@cache
def _distinct(table: str, dialect: Dialect) -> str:
    """Each predicate is found by one step in the index behind the one before it. Parameters: after which, how many."""
    return dialect.prepared(
        f"WITH RECURSIVE used (id) AS (SELECT min(predicate_id) FROM {table} WHERE predicate_id > ? UNION ALL"
        f" SELECT (SELECT min(predicate_id) FROM {table} WHERE predicate_id > used.id) FROM used"
        " WHERE used.id IS NOT NULL) SELECT id FROM used WHERE id IS NOT NULL LIMIT ?"
    )


def _counted(fetch: Fetch, dialect: Dialect, screen: Screen | None, ids: list[int]) -> list[Predicate]:
    selects = facts_of("predicate", dialect, screen)
    counts = [f"(SELECT count(*) FROM ({facts} LIMIT {COUNT_LIMIT + 1}) AS counted)" for facts in selects]
    statement = (
        f"SELECT t.id, s.text, {', '.join(counts)} FROM {given_terms(dialect)}"
        f" {dialect.join} triples_term AS s ON s.id = t.id ORDER BY t.id"
    )
    return [_predicate(*row) for row in fetch(statement, (as_keys(ids),))]


def _predicate(id_: int, text: str, asserted: int, inferred: int = 0) -> Predicate:
    capped = max(asserted, inferred) > COUNT_LIMIT
    return Predicate(id_, text, min(asserted, COUNT_LIMIT), min(inferred, COUNT_LIMIT), capped)
