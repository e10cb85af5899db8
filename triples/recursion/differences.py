"""How the outcomes of two runs differ."""

import duckdb
import pyarrow as pa

from triples.recursion.counts import Counts

_COMPARE = """
SELECT count(*) FILTER (WHERE was.weight IS NULL),
       count(*) FILTER (WHERE was.weight IS NOT NULL AND is_now.weight IS NOT NULL AND (
           was.weight <> is_now.weight OR was.depth <> is_now.depth OR was.rule <> is_now.rule
           OR was.free1 IS DISTINCT FROM is_now.free1 OR was.free_rest IS DISTINCT FROM is_now.free_rest)),
       count(*) FILTER (WHERE is_now.weight IS NULL)
FROM previous AS was FULL JOIN derived AS is_now USING (subject, predicate, object)
"""


def compare(previous: pa.Table, derived: pa.Table) -> Counts:
    """Count the differences between two tables of derived facts, whose rules have the same numbers."""
    with duckdb.connect() as database:
        database.register("previous", previous)
        database.register("derived", derived)
        found = database.execute(_COMPARE).fetchone()
    assert found is not None, "an aggregate has a row"
    return Counts(*found)
