"""The result of an initial load, and how it is counted."""

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from triples.store.fact_columns import KEY
from triples.store.sessions import Counts, IdRange, RowKey


class FirstFacts(NamedTuple):
    """The result of an initial load."""

    # The ids of the texts of all terms.
    ids: dict[str, int]
    facts: int
    subjects: int
    predicates: Counts
    # The keys of the facts with weight 0.
    denials: list[RowKey]
    new_ids: IdRange


def first_facts(ids: dict[str, int], rows: pa.Table, new_ids: IdRange) -> FirstFacts:
    """The result of an initial load of these rows, which are different facts."""
    subjects = int(pc.count_distinct(rows["subject_id"]).as_py())
    counted = pc.value_counts(rows["predicate_id"])
    by_predicate = dict(zip(*(counted.field(name).to_pylist() for name in ("values", "counts")), strict=True))
    denied = rows.filter(pc.equal(rows["weight"], 0)).select(KEY)
    denials = list(zip(*(column.to_pylist() for column in denied.columns), strict=True))
    return FirstFacts(ids, rows.num_rows, subjects, by_predicate, denials, new_ids)
