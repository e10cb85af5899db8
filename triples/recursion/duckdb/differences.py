"""The difference between the outcomes of two runs, as counts."""

from typing import Any

import pyarrow as pa

from triples.recursion.counts import Counts
from triples.recursion.duckdb.shares import in_shares
from triples.recursion.duckdb.workspace import Workspace
from triples.recursion.outcome import Rows

_COMPARE = """
SELECT count(*) FILTER (WHERE was.weight IS NULL),
       count(*) FILTER (WHERE was.weight IS NOT NULL AND is_now.weight IS NOT NULL AND (
           was.weight <> is_now.weight OR was.depth <> is_now.depth OR was.rule <> is_now.rule
           OR was.free1 IS DISTINCT FROM is_now.free1 OR was.free_rest IS DISTINCT FROM is_now.free_rest)),
       count(*) FILTER (WHERE is_now.weight IS NULL)
FROM (SELECT * FROM previous WHERE {share}) AS was
FULL JOIN (SELECT * FROM derived WHERE {share}) AS is_now USING (subject, predicate, object)
"""


def compare(workspace: Workspace, previous: pa.Table, derived: Rows) -> Counts:
    """Count the differences between derived facts that number their rules alike."""
    workspace.give("previous", previous)

    def count(share: str) -> tuple[Any, ...]:
        # A table is read by all threads, and only its columns that are asked for.
        workspace.give("derived", derived if isinstance(derived, pa.Table) else derived.to_reader())
        return workspace.row(_COMPARE.format(share=share))

    return Counts(*map(sum, zip(*in_shares(count), strict=True)))
