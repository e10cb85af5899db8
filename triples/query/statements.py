"""The statements of all reads of facts; `triples.store.select` makes their SQL.

Statements that every request needs are cached by a few values, which is faster than by a whole selection.
"""

from functools import cache
from typing import NamedTuple

from triples.patterns import Equal, Shape
from triples.recursion.programs import Key
from triples.store.dialect import Dialect
from triples.store.fact_tables import EXACT, InferredFilter
from triples.store.inferred.layout import KEY, PROOF
from triples.store.select import NO_INDEX, TEXTS, Select, Start, heaviest_first, sql

# Totals are exact up to here; counting on would cost as much as there are matches.
COUNT_LIMIT = 10_000

# What is read of an asserted fact, before its texts.
ASSERTED = ("id", "created_at", "updated_at", "source", "weight", "metadata")
# What is read of facts of both kinds, or of inferred ones alone. An inferred fact has no id: so it is told from an
# asserted one.
COLUMNS = (*ASSERTED, *KEY, "depth", "rule")


class Position(NamedTuple):
    """A place in the order of answers: after the fact of this weight and id, or the inferred one of this key."""

    weight: float
    id: int = 0
    key: Key | None = None


def free_texts(shape: Shape) -> tuple[str, ...]:
    return tuple(text for text, given in zip(TEXTS, shape, strict=True) if not given)


@cache
def select_asserted(shape: Shape, start: Start, dialect: Dialect, *, with_metadata: bool, equal: Equal = ()) -> str:
    """ASSERTED and the texts of the free places, by falling weight, then rising id.

    Parameters: the constants, the bounds of `start`, the limit.
    """
    columns = (*ASSERTED, *free_texts(shape))
    select = heaviest_first("asserted", columns, shape, start)
    return sql(select._replace(equal=equal, metadata=with_metadata), dialect)


@cache
def select_inferred(
    shape: Shape, start: Start, dialect: Dialect, inferred: InferredFilter, *, equal: Equal = ()
) -> str:
    """COLUMNS and the texts of the free places, by falling weight, then by key; the parameters as above.

    Where predicates are merged, the parameters once for each, and the limit again.
    """
    columns = (*COLUMNS, *free_texts(shape))
    select = heaviest_first("inferred", columns, shape, start)
    return sql(select._replace(equal=equal, filter=inferred), dialect)


@cache
def select_both(
    shape: Shape,
    start: Start,
    dialect: Dialect,
    inferred: InferredFilter,
    *,
    with_metadata: bool,
    equal: Equal = (),
) -> str:
    """The same of both kinds. Parameters: those of `select_asserted`, those of `select_inferred`, the limit."""
    select = heaviest_first("both", (*COLUMNS, *free_texts(shape)), shape, start)
    return sql(select._replace(equal=equal, metadata=with_metadata, filter=inferred), dialect)


@cache
def count_asserted(
    shape: Shape, dialect: Dialect, *, least_weight: bool, equal: Equal = (), limit: int | None = COUNT_LIMIT + 1
) -> str:
    """The number of matches, up to the limit. Parameters: the constants, and the least weight if any.

    Without one the weights are not looked at, which saves a quarter of the time or more.
    """
    start: Start = "top" if least_weight else "any"
    return sql(Select("asserted", shape=shape, equal=equal, start=start, limit=limit, counted=True), dialect)


@cache
def count_inferred(
    shape: Shape,
    dialect: Dialect,
    inferred: InferredFilter,
    *,
    equal: Equal = (),
    limit: int | None = COUNT_LIMIT + 1,
) -> str:
    """The same of inferred facts; the parameters once for each predicate that is merged."""
    select = Select("inferred", shape=shape, equal=equal, start="top", limit=limit, counted=True, filter=inferred)
    return sql(select, dialect)


def asserted_by_id(dialect: Dialect) -> str:
    """ASSERTED and TEXTS of one fact. Parameter: its id."""
    return sql(Select("asserted", (*ASSERTED, *TEXTS), others_given=("id",), by_index=NO_INDEX), dialect)


def inferred_by_key(dialect: Dialect, inferred: InferredFilter) -> str:
    """Weight, depth, rule and TEXTS of one fact. Parameters: its key."""
    columns = ("weight", "depth", "rule", *TEXTS)
    return sql(Select("inferred", columns, EXACT, given="ids", filter=inferred), dialect)


def asserted_by_keys(dialect: Dialect) -> str:
    """Key, ASSERTED and TEXTS of the facts of these keys. Parameter: one of `key_batches.batches`."""
    return sql(Select("asserted", (*KEY, *ASSERTED, *TEXTS), EXACT, given="keys"), dialect)


def inferred_by_keys(dialect: Dialect) -> str:
    """Key, PROOF and TEXTS of the facts of these keys, visible or not. Parameter: a batch of `keys`."""
    return sql(Select("inferred", (*KEY, *PROOF, *TEXTS), EXACT, given="keys"), dialect)


def texts_by_ids(dialect: Dialect) -> str:
    """Ids and texts of terms. Parameter: a batch of `keys` of one place."""
    given = f"{dialect.keys_table} {dialect.join}"
    return f"SELECT t.id, t.text FROM {given} triples_term AS t ON t.id = {dialect.key_column(0)}"
