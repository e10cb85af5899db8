"""Patterns over asserted and inferred facts together, as SQL; `triples.store.patterns` says how, for the asserted.

Each kind is picked by an index that has it in the answer's order, no more of it than is wanted, and what was picked
is merged. At equal weight the asserted facts come first, by id, then the inferred ones by key.
"""

from functools import cache
from typing import Literal, NamedTuple

from triples.store.dialect import Dialect
from triples.store.inferred import hidden
from triples.store.inferred.layout import FACTS, KEY
from triples.store.patterns import COUNT_LIMIT, Shape, Start, fixed_columns, matches, sqlite_index, with_texts

# An inferred fact has no id: so it is told from an asserted one.
COLUMNS = ("id", "created_at", "updated_at", "source", "weight", "metadata", *KEY, "depth", "rule")
_ORDER = ("weight DESC", "id IS NULL", "id", *KEY)
_NO_ID = "CAST(NULL AS BIGINT)"
_NO_NUMBER = "CAST(NULL AS INTEGER)"
_NO_TEXT = "CAST(NULL AS TEXT)"

_PRIMARY_KEY = f"sqlite_autoindex_{FACTS}_1"
INDEXES: dict[Shape, str] = {
    (False, False, False): "inferred_any",
    (True, False, False): _PRIMARY_KEY,
    (False, True, False): "inferred_p",
    (False, False, True): "inferred_o",
    (True, True, False): _PRIMARY_KEY,
    (False, True, True): "inferred_po",
    (True, False, True): _PRIMARY_KEY,
    (True, True, True): _PRIMARY_KEY,
}

# Where a page begins within the inferred facts: as `Start`, or among those of a weight from the first one on.
InferredStart = Start | Literal["whole weight"]


class Screen(NamedTuple):
    """What a statement has to know of the inferred facts: which to leave out, and which there are."""

    # Whether some may have been asserted since they were derived.
    asserted: bool
    # Whether some are hidden.
    hidden: bool
    # The predicates to merge where the pattern has none; see `layout.merged_predicates`.
    merged: tuple[int, ...] | None = None

    def arms(self, shape: Shape) -> int:
        """How many picks are merged for a pattern; each takes the parameters of one, and all of them one more limit."""
        return 0 if self.merged is None or shape[0] or shape[1] else len(self.merged)


@cache
def select_both(shape: Shape, start: Start, dialect: Dialect, screen: Screen, *, with_metadata: bool) -> str:
    """COLUMNS and the texts of the free places, of facts of both kinds.

    Parameters: the constants, the bounds of `start` and the limit, for the asserted; those of `select_inferred`;
    and the limit.
    """
    asserted = f"SELECT * FROM ({_asserted(shape, start, dialect, with_metadata=with_metadata)}) AS asserted"
    inferred = f"SELECT * FROM ({_inferred(shape, start, dialect, screen)}) AS derived"
    order = ", ".join(_ORDER)
    merged = f"SELECT * FROM ({asserted} UNION ALL {inferred}) AS facts ORDER BY {order} LIMIT ?"
    return with_texts(merged, COLUMNS, _ORDER, shape, dialect)


@cache
def select_inferred(shape: Shape, start: InferredStart, dialect: Dialect, screen: Screen) -> str:
    """The same of inferred facts alone. Parameters: the constants, the bounds of `start`, the limit; see `arms`."""
    return with_texts(_inferred(shape, start, dialect, screen), COLUMNS, ("weight DESC", *KEY), shape, dialect)


@cache
def count_inferred(shape: Shape, dialect: Dialect, screen: Screen) -> str:
    """As `patterns.count`, for inferred facts; the parameters once for each arm."""
    tables = _merged(shape, "top", dialect, screen) or [_matches(shape, "top", dialect, screen)]
    inner = " UNION ALL ".join(f"SELECT 1 FROM {table}" for table in tables) + f" LIMIT {COUNT_LIMIT + 1}"
    return f"SELECT count(*) FROM ({inner}) AS matches".replace("?", dialect.placeholder)


@cache
def select_one(dialect: Dialect, screen: Screen) -> str:
    """Weight, depth, rule and texts of the inferred fact of a key. Parameters: the key."""
    conditions = " AND ".join([*(f"i.{column} = ?" for column in KEY), *screened(dialect, screen)])
    sql = (
        f"SELECT i.weight, i.depth, i.rule, s.text, p.text, o.text FROM {FACTS} AS i"
        " JOIN triples_term AS s ON s.id = i.subject_id JOIN triples_term AS p ON p.id = i.predicate_id"
        f" JOIN triples_term AS o ON o.id = i.object_id WHERE {conditions}"
    )
    return sql.replace("?", dialect.placeholder)


def screened(dialect: Dialect, screen: Screen) -> list[str]:
    """The conditions that leave out of the inferred facts `i` what the screen says."""
    conditions = [_not_in("triples_triple", sqlite_index((True, True, True)), dialect)] if screen.asserted else []
    return conditions + ([_not_in(hidden.FACTS, hidden.INDEX, dialect)] if screen.hidden else [])


def _not_in(table: str, index: str, dialect: Dialect) -> str:
    same = " AND ".join(f"a.{column} = i.{column}" for column in KEY)
    # PostgreSQL might join with the whole table instead of looking up the few; what has an OFFSET it leaves alone.
    named, end = (f" INDEXED BY {index}", "") if dialect.names_indexes else ("", " OFFSET 0")
    return f"NOT EXISTS (SELECT 1 FROM {table} AS a{named} WHERE {same}{end})"


def _asserted(shape: Shape, start: Start, dialect: Dialect, *, with_metadata: bool) -> str:
    metadata = dialect.metadata if with_metadata else _NO_TEXT
    columns = f"id, created_at, updated_at, source, weight, {metadata} AS metadata, {', '.join(KEY)}"
    return (
        f"SELECT {columns}, {_NO_NUMBER} AS depth, {_NO_NUMBER} AS rule"
        f" FROM {matches(shape, start, dialect)} ORDER BY weight DESC, id LIMIT ?"
    )


def _inferred(shape: Shape, start: InferredStart, dialect: Dialect, screen: Screen) -> str:
    columns = (
        f"{_NO_ID} AS id, {_NO_ID} AS created_at, {_NO_ID} AS updated_at, {_NO_NUMBER} AS source, weight,"
        f" {_NO_TEXT} AS metadata, {', '.join(KEY)}, depth, rule"
    )
    end = f"ORDER BY {', '.join(('weight DESC', *KEY))} LIMIT ?"
    merged = _merged(shape, start, dialect, screen)
    if not merged:
        return f"SELECT {columns} FROM {_matches(shape, start, dialect, screen)} {end}"
    arms = [
        f"SELECT * FROM (SELECT {columns} FROM {table} {end}) AS arm_{number}" for number, table in enumerate(merged)
    ]
    return f"SELECT * FROM ({' UNION ALL '.join(arms)}) AS arms {end}"


def _merged(shape: Shape, start: InferredStart, dialect: Dialect, screen: Screen) -> list[str]:
    """The matches of each predicate, where they are to be merged."""
    if not screen.arms(shape):
        return []
    return [_matches(shape, start, dialect, screen, predicate) for predicate in screen.merged or ()]


def _matches(shape: Shape, start: InferredStart, dialect: Dialect, screen: Screen, predicate: int | None = None) -> str:
    """The facts of a pattern; of this predicate, where the pattern has none."""
    table = f"{FACTS} AS i"
    indexed = shape if predicate is None else (shape[0], True, shape[2])
    if dialect.names_indexes:
        table += f" INDEXED BY {INDEXES[indexed]}"
    own = [] if predicate is None else [f"predicate_id = {predicate}"]
    bounds: dict[InferredStart, list[str]] = {
        "top": ["weight >= ?"],
        "whole weight": ["weight = ?"],
        "same weight": ["weight = ?", f"({', '.join(KEY)}) > (?, ?, ?)"],
        "lighter": ["weight < ?", "weight >= ?"],
    }
    return f"{table} WHERE {' AND '.join([*own, *fixed_columns(shape), *bounds[start], *screened(dialect, screen)])}"
