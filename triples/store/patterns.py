"""Patterns as SQL: one statement for each of the eight shapes, the same for both databases.

A constant is looked up in the term dictionary by the statement itself, so a query costs one round trip and
no remembered id can be stale. The facts are picked first, by an index that has them in the answer's order,
and only those that are answered are joined with the texts of their free places.
"""

from functools import cache
from typing import Literal, NamedTuple

from triples.store.operations import Pattern

Shape = tuple[bool, bool, bool]

# Totals are exact up to here; counting on would cost as much as there are matches.
COUNT_LIMIT = 10_000

COLUMNS = ("subject_id", "predicate_id", "object_id")
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
    """A place in the order of answers: after the fact of this weight and id."""

    weight: float
    id: int


# Where a page begins: anywhere; among the facts of the position's own weight; among the lighter ones.
Start = Literal["top", "same weight", "lighter"]


class Dialect(NamedTuple):
    """In what the two databases differ here."""

    placeholder: str
    names_indexes: bool
    metadata: str


SQLITE = Dialect("?", True, "metadata")
POSTGRESQL = Dialect("%s", False, "metadata::text")


def shape_of(pattern: Pattern) -> Shape:
    subject, predicate, object_ = pattern
    return (subject is not None, predicate is not None, object_ is not None)


@cache
def select(shape: Shape, start: Start, dialect: Dialect, *, with_metadata: bool) -> str:
    """Facts by falling weight, then rising id. Parameters: the constants, the bounds of `start`, the limit.

    Columns: id, created_at, updated_at, source, weight, metadata, then the texts of the free places.
    """
    free = [name for name, fixed in zip(COLUMNS, shape, strict=True) if not fixed]
    metadata = dialect.metadata if with_metadata else "NULL"
    picked = ", ".join(["id", "created_at", "updated_at", "source", "weight", f"{metadata} AS metadata", *free])
    inner = f"SELECT {picked} FROM {_matches(shape, start, dialect)} ORDER BY weight DESC, id LIMIT ?"
    texts = "".join(f", {name[0]}.text" for name in free)
    # SQLite takes CROSS JOIN as an order to keep: the picked facts first, then their terms.
    join = "CROSS JOIN" if dialect.names_indexes else "JOIN"
    joins = "".join(f" {join} triples_term AS {name[0]} ON {name[0]}.id = t.{name}" for name in free)
    sql = (
        f"SELECT t.id, t.created_at, t.updated_at, t.source, t.weight, t.metadata{texts}"
        f" FROM ({inner}) AS t{joins} ORDER BY t.weight DESC, t.id"
    )
    return sql.replace("?", dialect.placeholder)


@cache
def count(shape: Shape, dialect: Dialect) -> str:
    """How many facts match, up to one more than the limit. Parameters: the constants, the least weight."""
    inner = f"SELECT 1 FROM {_matches(shape, 'top', dialect)} LIMIT {COUNT_LIMIT + 1}"
    return f"SELECT count(*) FROM ({inner}) AS matches".replace("?", dialect.placeholder)


def _matches(shape: Shape, start: Start, dialect: Dialect) -> str:
    table = "triples_triple"
    if dialect.names_indexes:
        table += f" INDEXED BY {sqlite_index(shape)}"
    constant = "(SELECT id FROM triples_term WHERE text = ?)"
    conditions = [f"{name} = {constant}" for name, fixed in zip(COLUMNS, shape, strict=True) if fixed]
    conditions += {
        "top": ["weight >= ?"],
        "same weight": ["weight = ?", "id > ?"],
        "lighter": ["weight < ?", "weight >= ?"],
    }[start]
    return f"{table} WHERE {' AND '.join(conditions)}"


def sqlite_index(shape: Shape) -> str:
    name = INDEXES[shape]
    # SQLite names the index of a unique constraint itself; it is the table's only one.
    return "sqlite_autoindex_triples_triple_1" if name == "triple_fact" else name
