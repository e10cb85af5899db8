"""The derived facts and their proofs, read from the table of an evaluation."""

import pyarrow as pa

from triples.recursion.duckdb.workspace import Workspace
from triples.recursion.outcome import DERIVED
from triples.recursion.packing import Packing, proof_columns
from triples.recursion.programs import Program
from triples.recursion.sql import COLUMNS


def derived_table(workspace: Workspace, program: Program, packing: Packing) -> pa.Table:
    """Return the derived facts in one chunk, sorted by subject, predicate and object."""
    table = workspace.table(
        f"SELECT {', '.join(COLUMNS)}, weight, height AS depth, {proof_columns(program, packing)}"
        f" FROM fact WHERE height > 0 ORDER BY {', '.join(COLUMNS)}"
    )
    return table.cast(DERIVED).combine_chunks()
