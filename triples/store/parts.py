"""The SQL that finds where parts of a pattern's facts end: by weight, by id within a weight, or by a column's terms."""

from collections.abc import Sequence
from functools import cache
from math import isqrt

from triples.patterns import Shape
from triples.store.dialect import Dialect
from triples.store.fact_tables import TABLES, InferredFilter, Kind, conditions_of_visible, index_name
from triples.store.inferred.layout import KEY

_OF_PREDICATE: Shape = (False, True, False)
# What one fact found by its predicate, or by that and its object, costs, in facts passed over in the other index: that
# is 14, but terms have more than one fact each, and come in clusters.
_PASSED = 5


def fewest_dense(all_facts: int, wanted: int) -> int:
    """Of how many facts so many terms are found faster by passing over others in an index of all terms."""
    return isqrt(wanted * all_facts // _PASSED) + 1


@cache
def number_heavier(shape: Shape, dialect: Dialect) -> str:
    """The number of asserted facts. Parameters: the ids, the least weight, the limit."""
    conditions = " AND ".join([*_given(shape), "f.weight >= ?"])
    facts = f"SELECT 1 FROM {_table('asserted', shape, dialect)} WHERE {conditions} LIMIT ?"
    return dialect.prepared(f"SELECT count(*) FROM ({facts}) AS matches")


@cache
def lightest(shape: Shape, dialect: Dialect) -> str:
    """The least weight of asserted facts. Parameters: the ids."""
    conditions = " AND ".join(_given(shape))
    facts = _table("asserted", shape, dialect)
    return dialect.prepared(f"SELECT f.weight FROM {facts} WHERE {conditions} ORDER BY f.weight LIMIT 1")


@cache
def nth_weight(shape: Shape, dialect: Dialect) -> str:
    """The weight of one asserted fact. Parameters: the ids, the most, the least, how many come first."""
    return _nth("weight", ["f.weight <= ?", "f.weight >= ?"], "f.weight DESC", shape, dialect)


@cache
def nth_id(shape: Shape, dialect: Dialect) -> str:
    """The id of one asserted fact. Parameters: the ids, the weight, after which id, how many come first."""
    return _nth("id", ["f.weight = ?", "f.id > ?"], "f.id", shape, dialect)


@cache
def ordered_terms(
    shape: Shape, column: int, kind: Kind, dialect: Dialect, visible: InferredFilter | None, *, by_subject: bool
) -> str:
    """The different terms in a column, in order. Parameters: the ids, the least weight, after which, the limit.

    `by_subject` reads the inferred facts of a predicate, or the facts of that and an object, from an index of all
    subjects.
    """
    merged = visible.merged_for(shape) if kind == "inferred" and visible else ()
    subject, predicate, object_ = shape
    # An index that has the column next to what is given has its terms in order.
    ordered = by_subject or not any(shape) or (shape == _OF_PREDICATE and (column == 2 or kind == "asserted"))
    place = [subject, predicate or bool(merged), object_]
    if ordered:
        place[column] = True
    conditions = [*_given(shape), "f.weight >= ?", f"f.{KEY[column]} > ?"]
    if merged:
        conditions.append(f"f.predicate_id IN ({', '.join(map(str, merged))})")
    if kind == "inferred" and visible is not None:
        conditions += conditions_of_visible(visible, "f", dialect)
    table = _table(kind, (place[0], place[1], place[2]), dialect)
    return dialect.prepared(
        f"SELECT DISTINCT f.{KEY[column]} FROM {table} WHERE {' AND '.join(conditions)}"
        f" ORDER BY f.{KEY[column]} LIMIT ?"
    )


def _nth(column: str, range_: Sequence[str], order: str, shape: Shape, dialect: Dialect) -> str:
    table, conditions = _table("asserted", shape, dialect), " AND ".join([*_given(shape), *range_])
    return dialect.prepared(f"SELECT f.{column} FROM {table} WHERE {conditions} ORDER BY {order} LIMIT 1 OFFSET ?")


def _given(shape: Shape) -> list[str]:
    return [f"f.{column} = ?" for column, given in zip(KEY, shape, strict=True) if given]


def _table(kind: Kind, shape: Shape, dialect: Dialect) -> str:
    return dialect.indexed(f"{TABLES[kind]} AS f", index_name(kind, shape))
