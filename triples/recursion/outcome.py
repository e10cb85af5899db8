"""The options and the outcome of an engine."""

from dataclasses import dataclass
from math import nextafter
from typing import NamedTuple, Protocol

import pyarrow as pa

# Facts of weight 0 prove nothing.
LEAST_WEIGHT = nextafter(0.0, 1.0)

DERIVED = pa.schema(
    [
        ("subject", pa.int64()),
        ("predicate", pa.int64()),
        ("object", pa.int64()),
        ("weight", pa.float64()),
        ("depth", pa.int32()),
        ("rule", pa.int32()),
        ("free1", pa.int64()),
        ("free_rest", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Options:
    """Options of an evaluation; None is no limit."""

    max_depth: int | None = None
    min_weight: float = 0.0
    # Term ids. Only these may be subjects of derived facts.
    subjects: pa.Int64Array | None = None
    # Term ids. None of these may be the predicate of a derived fact.
    unfit: pa.Int64Array | None = None
    max_inferred: int | None = None

    @property
    def threshold(self) -> float:
        """The least weight of facts that count."""
        return max(self.min_weight, LEAST_WEIGHT)


class Round(NamedTuple):
    """Counts of a round: new and improved facts, and all derived facts after it."""

    number: int
    new: int
    improved: int
    total: int


class Rows(Protocol):
    """Derived facts in the columns of `DERIVED`, sorted by subject, predicate and object. A table, for one."""

    @property
    def num_rows(self) -> int: ...

    def to_reader(self) -> pa.RecordBatchReader:
        """All of them, in batches; each call begins anew."""


@dataclass(frozen=True, slots=True)
class Materialised:
    """The outcome. `complete_above` is None unless a limit was met; then facts lighter than this were left out."""

    derived: Rows
    rounds: list[Round]
    complete_above: float | None
