"""The tables of facts: their columns, the index for each shape of a pattern, and which inferred facts are visible.

All asserted facts are visible, and those inferred facts that are neither hidden nor also asserted.
"""

from typing import Literal, NamedTuple

from triples.patterns import Shape
from triples.store.dialect import Dialect
from triples.store.inferred import hidden
from triples.store.inferred.layout import FACTS, KEY

Kind = Literal["asserted", "inferred"]

TABLES: dict[Kind, str] = {"asserted": "triples_triple", "inferred": FACTS}

# Expressions for names that are no columns of the table; the table's alias is formatted into them. The proof of an
# asserted fact has height 0.
COMPUTED: dict[Kind, dict[str, str]] = {
    "asserted": {"depth": "0", "rule": "CAST(NULL AS INTEGER)", "has_metadata": "{}.metadata IS NOT NULL"},
    "inferred": {
        "id": "CAST(NULL AS BIGINT)",
        "created_at": "CAST(NULL AS BIGINT)",
        "updated_at": "CAST(NULL AS BIGINT)",
        "source": "CAST(NULL AS INTEGER)",
        "metadata": "CAST(NULL AS TEXT)",
    },
}
NO_METADATA = COMPUTED["inferred"]["metadata"]

ANY: Shape = (False, False, False)
EXACT: Shape = (True, True, True)

# Facts by falling weight; ties in the order that the indexes end in.
HEAVIEST: dict[Kind, tuple[str, ...]] = {"asserted": ("-weight", "id"), "inferred": ("-weight", *KEY)}

_PRIMARY_KEY = f"sqlite_autoindex_{FACTS}_1"
INDEXES: dict[Kind, dict[Shape, str]] = {
    "asserted": {
        (False, False, False): "triple_any",
        (True, False, False): "triple_s",
        (False, True, False): "triple_p",
        (False, False, True): "triple_o",
        (True, True, False): "triple_ps",
        (False, True, True): "triple_po",
        # Few facts have the same subject and object, so those are found by the unique index and sorted.
        (True, False, True): "triple_fact",
        (True, True, True): "triple_fact",
    },
    "inferred": {
        (False, False, False): "inferred_any",
        (True, False, False): _PRIMARY_KEY,
        (False, True, False): "inferred_p",
        (False, False, True): "inferred_o",
        (True, True, False): _PRIMARY_KEY,
        (False, True, True): "inferred_po",
        (True, False, True): _PRIMARY_KEY,
        (True, True, True): _PRIMARY_KEY,
    },
}


class InferredFilter(NamedTuple):
    """The inferred facts that a statement must leave out, and the predicates that they can have."""

    # Whether some inferred facts may have been asserted since they were derived.
    asserted: bool
    # Whether some inferred facts are hidden.
    hidden: bool = False
    # The predicates whose facts are merged where the pattern has none; see `layout.merged_predicates`.
    merged: tuple[int, ...] | None = None

    def merged_for(self, shape: Shape) -> tuple[int, ...]:
        """The predicates whose facts are selected separately and merged; none if one index serves the shape.

        Each selection takes the usual parameters, and the merged whole takes one more limit.
        """
        return () if self.merged is None or shape[0] or shape[1] else self.merged


def index_name(kind: Kind, shape: Shape) -> str:
    """SQLite's name for the index of a shape."""
    name = INDEXES[kind][shape]
    # SQLite names the index of a unique constraint itself; it is the table's only one.
    return "sqlite_autoindex_triples_triple_1" if name == "triple_fact" else name


def conditions_of_visible(which: InferredFilter, alias: str, dialect: Dialect) -> list[str]:
    """The conditions under which an inferred fact is visible."""
    conditions: list[str] = []
    if which.asserted:
        conditions.append(_not_in(TABLES["asserted"], index_name("asserted", EXACT), alias, dialect))
    if which.hidden:
        conditions.append(_not_in(hidden.FACTS, hidden.INDEX, alias, dialect))
    return conditions


def _not_in(table: str, index: str, alias: str, dialect: Dialect) -> str:
    same = " AND ".join(f"a.{column} = {alias}.{column}" for column in KEY)
    # PostgreSQL might join with the whole table instead of looking up the few.
    named = dialect.indexed(f"{table} AS a", index)
    return f"NOT EXISTS (SELECT 1 FROM {named} WHERE {same}{dialect.keep_apart})"
