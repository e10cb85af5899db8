"""Patterns as SQL: one statement for each of the eight shapes, the same for both databases.

A constant is looked up in the term dictionary by the statement itself, so a query costs one round trip and
no remembered id can be stale. The facts are picked first, by an index that has them in the answer's order,
and only those that are answered are joined with the texts of their free places.
"""

from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

from triples.recursion.programs import Key
from triples.store.dialect import Dialect
from triples.store.operations import Pattern

Shape = tuple[bool, bool, bool]

# Totals are exact up to here; counting on would cost as much as there are matches.
COUNT_LIMIT = 10_000

COLUMNS = ("subject_id", "predicate_id", "object_id")
_COLUMNS = ("id", "created_at", "updated_at", "source", "weight", "metadata")
INDEXES: dict[Shape, str] = {
    (False, False, False): "triple_any",
    (True, False, False): "triple_s",
    (False, True, False): "triple_p",
    (False, False, True): "triple_o",
    (True, True, False): "triple_sp",
    (False, True, True): "triple_po",
    # Few facts join one subject and one object: those are found by the unique index and sorted.
    (True, False, True): "triple_fact",
    (True, True, True): "triple_fact",
}


class Position(NamedTuple):
    """A place in the order of answers: after the fact of this weight and id, or the inferred one of this key."""

    weight: float
    id: int = 0
    key: Key | None = None


# Where a page begins: anywhere; among the facts of the position's own weight; among the lighter ones.
Start = Literal["top", "same weight", "lighter"]


def shape_of(pattern: Pattern) -> Shape:
    subject, predicate, object_ = pattern
    return (subject is not None, predicate is not None, object_ is not None)


@cache
def select(shape: Shape, start: Start, dialect: Dialect, *, with_metadata: bool) -> str:
    """Facts by falling weight, then rising id. Parameters: the constants, the bounds of `start`, the limit.

    Columns: id, created_at, updated_at, source, weight, metadata, then the texts of the free places.
    """
    metadata = dialect.metadata if with_metadata else "NULL"
    picked = ", ".join([*_COLUMNS[:-1], f"{metadata} AS metadata", *free_columns(shape)])
    inner = f"SELECT {picked} FROM {matches(shape, start, dialect)} ORDER BY weight DESC, id LIMIT ?"
    return with_texts(inner, _COLUMNS, ("weight DESC", "id"), shape, dialect)


def with_texts(picked: str, columns: Sequence[str], order: Sequence[str], shape: Shape, dialect: Dialect) -> str:
    """These columns of the few facts that a statement picks, and behind them the texts of the free places."""
    free = free_columns(shape)
    shown = ", ".join([*(f"t.{column}" for column in columns), *(f"{name[0]}.text" for name in free)])
    # SQLite takes CROSS JOIN as an order to keep: the picked facts first, then their terms.
    join = "CROSS JOIN" if dialect.names_indexes else "JOIN"
    joins = "".join(f" {join} triples_term AS {name[0]} ON {name[0]}.id = t.{name}" for name in free)
    sql = f"SELECT {shown} FROM ({picked}) AS t{joins} ORDER BY {', '.join(f't.{term}' for term in order)}"
    return sql.replace("?", dialect.placeholder)


@cache
def count(shape: Shape, dialect: Dialect, *, least_weight: bool) -> str:
    """How many facts match, up to one more than the limit. Parameters: the constants, and the least weight if any.

    Without one the weights are not looked at, which saves a quarter of the time or more.
    """
    inner = f"SELECT 1 FROM {matches(shape, 'top' if least_weight else None, dialect)} LIMIT {COUNT_LIMIT + 1}"
    return f"SELECT count(*) FROM ({inner}) AS matches".replace("?", dialect.placeholder)


def free_columns(shape: Shape) -> list[str]:
    return [name for name, fixed in zip(COLUMNS, shape, strict=True) if not fixed]


def fixed_columns(shape: Shape) -> list[str]:
    """A condition for each constant of the pattern."""
    constant = "(SELECT id FROM triples_term WHERE text = ?)"
    return [f"{name} = {constant}" for name, fixed in zip(COLUMNS, shape, strict=True) if fixed]


def matches(shape: Shape, start: Start | None, dialect: Dialect) -> str:
    """The table and the conditions of a statement that picks asserted facts; None: of any weight, in any order."""
    table = "triples_triple"
    if dialect.names_indexes:
        table += f" INDEXED BY {sqlite_index(shape)}"
    bounds: dict[Start | None, list[str]] = {
        None: [],
        "top": ["weight >= ?"],
        "same weight": ["weight = ?", "id > ?"],
        "lighter": ["weight < ?", "weight >= ?"],
    }
    conditions = fixed_columns(shape) + bounds[start]
    return f"{table} WHERE {' AND '.join(conditions)}" if conditions else table


def sqlite_index(shape: Shape) -> str:
    name = INDEXES[shape]
    # SQLite names the index of a unique constraint itself; it is the table's only one.
    return "sqlite_autoindex_triples_triple_1" if name == "triple_fact" else name
