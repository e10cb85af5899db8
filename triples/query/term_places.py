"""The places in which a term stands, with the numbers of facts: asserted ones, and inferred ones that may be shown.

All statements are about `t.id`, the id of a term.
"""

from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

import orjson

from triples.patterns import Shape
from triples.store.dialect import Dialect
from triples.store.fact_tables import InferredFilter, conditions_of_visible, index_name
from triples.store.inferred.layout import FACTS
from triples.store.sessions import Fetch

Place = Literal["subject", "predicate", "object"]
PLACES: tuple[Place, ...] = ("subject", "predicate", "object")
_SHAPES: dict[Place, Shape] = {
    "subject": (True, False, False),
    "predicate": (False, True, False),
    "object": (False, False, True),
}

# Facts of a term that is found are counted up to here.
COUNT_LIMIT = 1_000


class FactCounts(NamedTuple):
    subject: int
    predicate: int
    object: int


@cache
def stands_in(place: Place, dialect: Dialect, visible: InferredFilter | None) -> str:
    """The condition that a term stands in this place of any fact."""
    return "(" + " OR ".join(f"EXISTS ({facts} LIMIT 1)" for facts in facts_of(place, dialect, visible)) + ")"


@cache
def facts_of(place: Place, dialect: Dialect, visible: InferredFilter | None) -> list[str]:
    """Selects of the facts that have the term in this place: the asserted, then the inferred if any may be shown.

    Each needs a LIMIT. They are in the order of an index, since PostgreSQL would scan the table for a predicate: of so
    few different ones, it believes, any will do.
    """
    shape = _SHAPES[place]
    asserted = dialect.indexed("triples_triple", index_name("asserted", shape))
    statements = [f"SELECT 1 FROM {asserted} WHERE {place}_id = t.id ORDER BY weight DESC"]
    if visible is not None:
        index, own = index_name("inferred", shape), f"i.{place}_id = t.id"
        order = " ORDER BY i.predicate_id, i.object_id" if place == "subject" else " ORDER BY i.weight DESC"
        if place == "object" and visible.merged is not None:
            # Where these few predicates are all that there are, no index begins with the object.
            index, own = "inferred_po", f"i.predicate_id IN ({', '.join(map(str, visible.merged))}) AND {own}"
            order = ""
        conditions = " AND ".join([own, *conditions_of_visible(visible, "i", dialect)])
        statements.append(f"SELECT 1 FROM {dialect.indexed(f'{FACTS} AS i', index)} WHERE {conditions}{order}")
    return statements


def count_facts(
    fetch: Fetch, dialect: Dialect, visible: InferredFilter | None, ids: Sequence[int]
) -> dict[int, FactCounts]:
    """The facts of each term by place, each number `COUNT_LIMIT` at most."""
    counts = [
        " + ".join(f"(SELECT count(*) FROM ({facts} LIMIT {COUNT_LIMIT}) AS counted)" for facts in selects)
        for selects in (facts_of(place, dialect, visible) for place in PLACES)
    ]
    rows = fetch(f"SELECT t.id, {', '.join(counts)} FROM {given_terms(dialect)}", (as_keys(ids),))
    return {id_: FactCounts(*(min(count, COUNT_LIMIT) for count in found)) for id_, *found in rows}


def given_terms(dialect: Dialect) -> str:
    """The table `t` of the ids in the parameter that `as_keys` makes."""
    return f"(SELECT {dialect.key_column(0)} AS id FROM {dialect.prepared(dialect.keys_table)}) AS t"


def as_keys(ids: Sequence[int]) -> str:
    return orjson.dumps([[id_] for id_ in ids]).decode()
