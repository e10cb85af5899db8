"""Lists of facts for the admin's pages, at a cost that does not grow with the graph.

A list is merged from stretches of indexes that have the list's order, each read no further than the list reaches.
What no index can find, a filter looks for at the beginning of each stretch only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Any, Literal, NamedTuple, get_args

from django.db import connection

from triples.store.backend import backend
from triples.store.group_commit import open_session
from triples.store.operations import Row
from triples.store.select import NO_INDEX, OF_SHAPE, Select, order_by, shape_of, sql

# The most facts of a list. Nobody turns that many pages, and no database skips millions of rows at once.
REACH = 10_000
# The most facts that a filter without an index reads, in all stretches together.
FILTER_REACH = 50_000

Place = Literal["subject", "predicate", "object"]
PLACES: tuple[Place, ...] = get_args(Place)


class Order(Enum):
    """The orders that an index has, as the columns to sort by. Only a list of all facts can be NEWEST first."""

    NEWEST = ("-id",)
    HEAVIEST = ("-weight", "id")
    LIGHTEST = ("weight", "-id")


class FactKey(NamedTuple):
    """The id and time of a fact, from its public id."""

    id: int
    created_ms: int


@dataclass(frozen=True, slots=True)
class Selection:
    """The facts that a list must have. None means any."""

    # Ids of terms; one of them must be at one of the places.
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
        """True if the list has all facts, so that no index narrows it down."""
        bounds = (self.terms, self.predicate, self.least_weight, self.below_weight)
        return bounds == (None, None, 0.0, inf)

    @property
    def filtered(self) -> bool:
        """True if a filter is needed, for a condition that no index serves."""
        return self.source is not None or self.has_metadata is not None

    @property
    def filter_reach(self) -> int:
        """The most facts of each stretch that such a filter reads."""
        return FILTER_REACH // (len(self.terms) * len(self.places) if self.terms else 1)


class _Stretch(NamedTuple):
    select: Select
    parameters: list[Any]


def fact_ids(selection: Selection, order: Order) -> list[int]:
    """The ids of the first facts of the list; one more than `REACH` if there are more."""
    stretches = list(_stretches(selection, order))
    if not stretches:
        return []
    conditions, values = _filters(selection)
    statements: list[str] = []
    parameters: list[Any] = []
    for number, stretch in enumerate(stretches):
        statement = sql(stretch.select, backend().dialect)
        statements.append(f"SELECT id, weight FROM ({statement}) AS stretch_{number}{conditions}")
        parameters += [*stretch.parameters, *values]
    merged = " UNION ".join(statements)
    statement = f"SELECT id FROM ({merged}) AS found{order_by(order.value)} LIMIT {REACH + 1}"
    # Django's cursors have the placeholders of PostgreSQL for both databases.
    return [id_ for (id_,) in fetch(statement.replace("?", "%s"), parameters)]


def held_row(id_: int) -> Row | None:
    """The fact with this id, locked until the end of the transaction, if there is one."""
    with connection.wrap_database_errors:
        return open_session(connection).rows_by_id([id_]).get(id_)


def _stretches(selection: Selection, order: Order) -> Iterator[_Stretch]:
    """The stretches that are merged into the list, before filters."""
    everything = Select(
        "asserted", ("id", "weight"), given="ids", order=order.value, limit=REACH + 1, by_index=NO_INDEX
    )
    if selection.filtered:
        everything = everything._replace(
            columns=(*everything.columns, "source", "has_metadata"), limit=selection.filter_reach
        )
    if order is Order.NEWEST:
        yield _Stretch(everything, [])
        return
    weights = [selection.below_weight, selection.least_weight]
    within = everything._replace(start="lighter")
    for pattern in _patterns(selection):
        ids = [id_ for id_ in pattern if id_ is not None]
        yield _Stretch(within._replace(shape=shape_of(pattern), by_index=OF_SHAPE), [*ids, *weights])
    if selection.fact is not None:
        predicates = [] if selection.predicate is None else [selection.predicate]
        one = within._replace(shape=shape_of((None, selection.predicate, None)), others_given=("id", "created_at"))
        yield _Stretch(one, [*predicates, *selection.fact, *weights])


def _patterns(selection: Selection) -> Iterator[tuple[int | None, int | None, int | None]]:
    """The pattern of each stretch: the ids of terms at the three places."""
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


def _filters(selection: Selection) -> tuple[str, list[Any]]:
    """The condition that no index serves, and its parameters."""
    conditions: list[str] = []
    parameters: list[Any] = []
    if selection.source is not None:
        conditions.append("source = ?")
        parameters.append(selection.source)
    if selection.has_metadata is not None:
        conditions.append("has_metadata" if selection.has_metadata else "NOT has_metadata")
    return f" WHERE {' AND '.join(conditions)}" if conditions else "", parameters


def fetch(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
