"""Facts as the engine takes them, and what it derives as the oracle has it."""

import json
from collections.abc import Mapping

import pyarrow as pa

from triples.recursion.programs import Key, Proof

FACTS = pa.schema(
    [("subject", pa.int64()), ("predicate", pa.int64()), ("object", pa.int64()), ("weight", pa.float64())]
)


def fact_table(facts: Mapping[Key, float]) -> pa.Table:
    columns: list[list[int | float]] = [[], [], [], []]
    for key, weight in facts.items():
        for column, value in zip(columns, (*key, weight), strict=True):
            column.append(value)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, FACTS, strict=True)], schema=FACTS)


def proofs_in(derived: pa.Table) -> dict[Key, Proof]:
    return {
        Key(row["subject"], row["predicate"], row["object"]): Proof(
            row["weight"], row["depth"], row["rule"], _free_values(row["free1"], row["free_rest"])
        )
        for row in derived.to_pylist()
    }


def _free_values(first: int | None, rest: str | None) -> tuple[int, ...]:
    return () if first is None else (first, *json.loads(rest or "[]"))
