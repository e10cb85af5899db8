"""Writing the inferred facts: all of them, or a small difference. The caller holds the lease of runs.

Readers see a change whole or, if the process dies before its end, not at all.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson
import pyarrow as pa

from triples.models import HiddenGeneration
from triples.recursion.outcome import Rows
from triples.recursion.programs import Key, Proof
from triples.store.backend import Holder, backend
from triples.store.inferred.arrow_batches import DERIVED
from triples.store.inferred.layout import COLUMNS, Progress
from triples.store.inferred.state import State

_STORED = pa.schema([field.with_name(name) for field, name in zip(DERIVED, COLUMNS, strict=True)])


def replace_all(derived: Rows, state: State, holder: Holder, progress: Progress) -> None:
    """Replace all inferred facts. They come from the engine in the order of their keys, in which writing is fastest."""
    batches = (pa.RecordBatch.from_arrays(batch.columns, schema=_STORED) for batch in derived.to_reader())
    backend().inferred.replace_all(pa.RecordBatchReader.from_batches(_STORED, batches), state, holder, progress)


def apply(removed: Collection[Key], put: Mapping[Key, Proof], state: State, holder: Holder) -> None:
    """Remove facts, then insert or overwrite others. `state.facts` is their number afterwards."""
    backend().inferred.apply(removed, _rows(put), state, holder)


def hide_unknown(state: State, holder: Holder) -> None:
    """Determine which of the current inferred facts are hidden, if that is not stored.

    It is missing if a run died just after it had replaced the facts, or if the database is a copy of that moment.
    """
    if not HiddenGeneration.objects.filter(generation=state.generation).exists():
        backend().inferred.hide(state, holder)


def _rows(put: Mapping[Key, Proof]) -> Iterator[tuple[Any, ...]]:
    for key in sorted(put):
        weight, depth, rule, free = put[key]
        rest = orjson.dumps(free[1:]).decode() if len(free) > 1 else None
        yield *key, weight, depth, rule, free[0] if free else None, rest
