"""The predicates of the graph: found one by one in the index, and counted by it."""

from collections.abc import Sequence
from functools import cache
from heapq import merge
from itertools import islice
from typing import Literal, NamedTuple

from triples.query.reads import COUNT_LIMIT
from triples.query.term_places import as_keys, facts_of, given_terms
from triples.store.dialect import Dialect
from triples.store.fact_tables import TABLES, InferredFilter, Kind, conditions_of_visible, index_name
from triples.store.inferred.read_snapshots import VisibleFacts
from triples.store.sessions import Fetch

Side = Literal["subject", "object"]

_TALLIED = "(SELECT coalesce(sum(facts), 0) FROM triples_predicatetally WHERE predicate_id = t.id)"


class Predicate(NamedTuple):
    """A predicate and how many facts it has, `COUNT_LIMIT` inferred ones at most."""

    id: int
    text: str
    asserted: int
    inferred: int
    # Whether there are more.
    capped: bool


def predicates(
    fetch: Fetch, dialect: Dialect, shown: VisibleFacts | None, *, limit: int, after: int
) -> list[Predicate]:
    """The first predicates with facts whose ids come behind this one, by id.

    Each costs as much as its facts, up to the limit of counting.
    """
    visible = None if shown is None else shown.filter
    found: list[Predicate] = []
    while len(found) < limit and (ids := predicate_ids(fetch, dialect, visible, limit=limit - len(found), after=after)):
        # All inferred facts of one may be hidden.
        found += [one for one in _counted(fetch, dialect, visible, ids) if one.asserted or one.inferred]
        after = ids[-1]
    return found


def predicate_ids(
    fetch: Fetch,
    dialect: Dialect,
    visible: InferredFilter | None,
    *,
    limit: int,
    after: int = 0,
    subject: int | None = None,
) -> list[int]:
    """The first predicates behind this id, of all facts or of those of a subject.

    They are those of asserted facts, and of inferred ones if any may be shown.
    """
    kinds: list[Kind] = ["asserted"] if visible is None else ["asserted", "inferred"]
    given = (after, limit) if subject is None else (after, subject, limit)
    statements = [_distinct(kind, dialect, of_subject=subject is not None) for kind in kinds]
    found = [[id_ for (id_,) in fetch(statement, given)] for statement in statements]
    return list(islice(dict.fromkeys(merge(*found)), limit))


@cache
def _distinct(kind: Kind, dialect: Dialect, *, of_subject: bool) -> str:
    """Each predicate is found by one step in the index behind the one before it.

    Parameters: after which predicate, the subject if one is given, how many.
    """
    least = f"SELECT min(predicate_id) FROM {TABLES[kind]} WHERE predicate_id >"
    condition = "id IS NOT NULL"
    if of_subject:
        table = dialect.indexed(f"{TABLES[kind]} AS f", index_name(kind, (True, True, False)))
        condition += f" AND EXISTS (SELECT 1 FROM {table} WHERE f.subject_id = ? AND f.predicate_id = used.id)"
    return dialect.prepared(
        f"WITH RECURSIVE used (id) AS ({least} ? UNION ALL SELECT ({least} used.id) FROM used"
        f" WHERE used.id IS NOT NULL) SELECT id FROM used WHERE {condition} LIMIT ?"
    )


def numbers_by_predicate(
    fetch: Fetch,
    dialect: Dialect,
    visible: InferredFilter | None,
    place: Side,
    term: int,
    predicates: Sequence[int],
    limit: int,
) -> dict[int, int]:
    """The number of facts that have the term in this place and each predicate; the limit if there are more."""
    found = dict.fromkeys(predicates, 0)
    kinds: list[tuple[Kind, InferredFilter | None]] = [("asserted", None)]
    if visible is not None:
        kinds.append(("inferred", visible))
    for kind, hidden in kinds if predicates else ():
        statement = _numbers(place, kind, dialect, hidden)
        for predicate, number in fetch(statement, (term, limit, as_keys(predicates))):
            found[predicate] += number
    return {predicate: min(number, limit) for predicate, number in found.items()}


@cache
def _numbers(place: Side, kind: Kind, dialect: Dialect, visible: InferredFilter | None) -> str:
    """Parameters: the term, the limit, the predicates."""
    shape = (place == "subject", True, place == "object")
    predicate = dialect.key_column(0)
    conditions = [f"f.{place}_id = ?", f"f.predicate_id = {predicate}"]
    if visible is not None:
        conditions += conditions_of_visible(visible, "f", dialect)
    table = dialect.indexed(f"{TABLES[kind]} AS f", index_name(kind, shape))
    facts = f"SELECT 1 FROM {table} WHERE {' AND '.join(conditions)} LIMIT ?"
    return dialect.prepared(
        f"SELECT {predicate}, (SELECT count(*) FROM ({facts}) AS matches) FROM {dialect.keys_table}"
    )


def _counted(fetch: Fetch, dialect: Dialect, visible: InferredFilter | None, ids: list[int]) -> list[Predicate]:
    # The first selects the asserted facts, of which there is a tally.
    selects = facts_of("predicate", dialect, visible)[1:]
    counts = [_TALLIED, *(f"(SELECT count(*) FROM ({facts} LIMIT {COUNT_LIMIT + 1}) AS counted)" for facts in selects)]
    statement = (
        f"SELECT t.id, s.text, {', '.join(counts)} FROM {given_terms(dialect)}"
        f" {dialect.join} triples_term AS s ON s.id = t.id ORDER BY t.id"
    )
    return [_predicate(*row) for row in fetch(statement, (as_keys(ids),))]


def _predicate(id_: int, text: str, asserted: int, inferred: int = 0) -> Predicate:
    return Predicate(id_, text, int(asserted), min(inferred, COUNT_LIMIT), capped=inferred > COUNT_LIMIT)
