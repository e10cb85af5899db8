"""The derived facts and their proofs, read from the table of an evaluation."""

import pyarrow as pa

from triples.recursion.duckdb.packing import Packing
from triples.recursion.duckdb.workspace import Workspace
from triples.recursion.outcome import DERIVED
from triples.recursion.programs import Program
from triples.recursion.sql import COLUMNS


def derived_table(workspace: Workspace, program: Program, packing: Packing) -> pa.Table:
    """Return the derived facts in one chunk, sorted by subject, predicate and object."""
    table = workspace.table(
        f"SELECT {', '.join(COLUMNS)}, weight, height AS depth, {packing.rule('proof')} AS rule,"
        f" {_first_value(program, packing)} AS free1, {_further_values(program, packing)} AS free_rest"
        f" FROM fact WHERE height > 0 ORDER BY {', '.join(COLUMNS)}"
    )
    return table.cast(DERIVED).combine_chunks()


def _first_value(program: Program, packing: Packing) -> str:
    numbers = [rule.number for rule in program.rules if rule.free]
    return _cases(packing, [(numbers, packing.value("proof", 0))], "BIGINT")


def _further_values(program: Program, packing: Packing) -> str:
    counts = sorted({len(rule.free) for rule in program.rules if len(rule.free) > 1})
    cases = []
    for count in counts:
        numbers = [rule.number for rule in program.rules if len(rule.free) == count]
        values = " || ',' || ".join(f"CAST({packing.value('proof', index)} AS VARCHAR)" for index in range(1, count))
        cases.append((numbers, f"'[' || {values} || ']'"))
    return _cases(packing, cases, "VARCHAR")


def _cases(packing: Packing, cases: list[tuple[list[int], str]], sql_type: str) -> str:
    """Return an SQL expression that is, by the number of the proof's rule, one of these, or NULL."""
    branches = [
        f"WHEN {packing.rule('proof')} IN ({', '.join(map(str, numbers))}) THEN CAST({expression} AS {sql_type})"
        for numbers, expression in cases
        if numbers
    ]
    return f"CASE {' '.join(branches)} END" if branches else f"CAST(NULL AS {sql_type})"
