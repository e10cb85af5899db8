"""Lists of facts for people to look through, at a cost that does not grow with the graph.

A list is merged from runs. A run is a stretch of one index that has the list's order, and is read no further
than the list reaches. What no index can find, a filter looks for at the beginning of each run only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Any, Literal, NamedTuple, get_args

from django.db import connection

from triples.store.operations import Row
from triples.store.patterns import COLUMNS, INDEXES
from triples.store.writing import open_session

# How far a list reaches. Nobody turns so many pages, and no database skips millions of rows at once.
REACH = 10_000
# How many facts a filter without an index looks at, all runs together.
FILTER_REACH = 50_000

Place = Literal["subject", "predicate", "object"]
PLACES: tuple[Place, ...] = get_args(Place)


class Order(Enum):
    """The orders that an index has, as the columns to sort by. Only a list of all facts can be NEWEST first."""

    NEWEST = ("-id",)
    HEAVIEST = ("-weight", "id")
    LIGHTEST = ("weight", "-id")

    @property
    def sql(self) -> str:
        return ", ".join(f"{column[1:]} DESC" if column.startswith("-") else column for column in self.value)


class FactKey(NamedTuple):
    """What a public id says of a fact: its key, and when it was made."""

    id: int
    created_ms: int


@dataclass(frozen=True, slots=True)
class Selection:
    """Which facts are wanted; None asks for nothing in particular."""

    # Ids of terms, one of which stands at one of the places.
    terms: Sequence[int] | None = None
    places: Sequence[Place] = PLACES
    # A fact that is wanted besides those of the terms.
    fact: FactKey | None = None
    predicate: int | None = None
    least_weight: float = 0.0
    below_weight: float = inf
    source: int | None = None
    has_metadata: bool | None = None

    @property
    def all_facts(self) -> bool:
        """Whether no index narrows the list down."""
        bounds = (self.terms, self.predicate, self.least_weight, self.below_weight)
        return bounds == (None, None, 0.0, inf)

    @property
    def filtered(self) -> bool:
        """Whether something is asked for that no index can find."""
        return self.source is not None or self.has_metadata is not None

    @property
    def filter_reach(self) -> int:
        """How far into each run such a filter looks."""
        return FILTER_REACH // (len(self.terms) * len(self.places) if self.terms else 1)


class _Run(NamedTuple):
    table: str
    conditions: list[str]
    parameters: list[Any]


def fact_ids(selection: Selection, order: Order) -> list[int]:
    """The first facts of the list; one more than `REACH` when there are more."""
    runs = list(_runs(selection, order))
    if not runs:
        return []
    statements: list[str] = []
    parameters: list[Any] = []
    for number, run in enumerate(runs):
        sql, values = _run_sql(run, selection, order)
        statements.append(f"SELECT id, weight FROM ({sql}) AS run_{number}")
        parameters += values
    merged = " UNION ".join(statements)
    sql = f"SELECT id FROM ({merged}) AS found ORDER BY {order.sql} LIMIT {REACH + 1}"
    return [id_ for (id_,) in fetch(sql, parameters)]


def used_predicates(limit: int) -> list[tuple[int, str]]:
    """The terms that are the predicate of some fact, by text; at most `limit` of them."""
    return fetch(_USED_PREDICATES, [limit])


# Each predicate is found by one step in the index behind the one before it.
_USED_PREDICATES = (
    "WITH RECURSIVE used (id, number) AS (SELECT min(predicate_id), 1 FROM triples_triple UNION ALL"
    " SELECT (SELECT min(predicate_id) FROM triples_triple WHERE predicate_id > used.id), number + 1 FROM used"
    " WHERE used.id IS NOT NULL AND number < %s)"
    " SELECT t.id, t.text FROM used JOIN triples_term AS t ON t.id = used.id ORDER BY t.text"
)


def held_row(id_: int) -> Row | None:
    """The fact with this key; within a transaction, kept from changing until that ends."""
    with connection.wrap_database_errors:
        return open_session(connection).rows_by_id([id_]).get(id_)


def _runs(selection: Selection, order: Order) -> Iterator[_Run]:
    if order is Order.NEWEST:
        yield _Run("triples_triple", [], [])
        return
    for pattern in _patterns(selection):
        subject, predicate, object_ = (id_ is not None for id_ in pattern)
        fixed = {column: id_ for column, id_ in zip(COLUMNS, pattern, strict=True) if id_ is not None}
        yield _run(_table(INDEXES[subject, predicate, object_]), fixed, selection)
    if selection.fact is not None:
        fixed = {"id": selection.fact.id, "created_at": selection.fact.created_ms}
        if selection.predicate is not None:
            fixed["predicate_id"] = selection.predicate
        yield _run("triples_triple", fixed, selection)


def _run(table: str, fixed: dict[str, int], selection: Selection) -> _Run:
    conditions = [*(f"{column} = %s" for column in fixed), "weight >= %s", "weight < %s"]
    return _Run(table, conditions, [*fixed.values(), selection.least_weight, selection.below_weight])


def _patterns(selection: Selection) -> Iterator[tuple[int | None, int | None, int | None]]:
    """The ids of terms that the facts of each run have at their three places."""
    predicate = selection.predicate
    if selection.terms is None:
        yield None, predicate, None
        return
    for term in selection.terms:
        for place in selection.places:
            if place == "subject":
                yield term, predicate, None
            elif place == "object":
                yield None, predicate, term
            elif predicate in {None, term}:
                yield None, term, None


def _table(index: str) -> str:
    """SQLite, which does not know how many rows a condition leaves, is told which index to read."""
    return f"triples_triple INDEXED BY {index}" if connection.vendor == "sqlite" else "triples_triple"


def _run_sql(run: _Run, selection: Selection, order: Order) -> tuple[str, list[Any]]:
    where = f" WHERE {' AND '.join(run.conditions)}" if run.conditions else ""
    stretch = f"FROM {run.table}{where} ORDER BY {order.sql} LIMIT"
    if not selection.filtered:
        return f"SELECT id, weight {stretch} {REACH + 1}", run.parameters
    filters: list[str] = []
    parameters = list(run.parameters)
    if selection.source is not None:
        filters.append("source = %s")
        parameters.append(selection.source)
    if selection.has_metadata is not None:
        filters.append("metadata IS NOT NULL" if selection.has_metadata else "metadata IS NULL")
    looked_at = f"SELECT id, weight, source, metadata {stretch} {selection.filter_reach}"
    return f"SELECT id, weight FROM ({looked_at}) AS looked_at WHERE {' AND '.join(filters)}", parameters


def fetch(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
