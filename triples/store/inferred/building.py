"""Writing the inferred facts: all of them anew, or a small difference. The caller holds the lease of runs.

Both are seen by readers at once and whole, or, when the process dies before, not at all.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson
import pyarrow as pa
from django.db import connection

from triples.models import HiddenGeneration
from triples.recursion.programs import Key, Proof
from triples.store.backend import Holder
from triples.store.inferred.arrow import DERIVED
from triples.store.inferred.layout import COLUMNS, Progress
from triples.store.inferred.state import State
from triples.store.postgresql import inferred_facts as postgresql
from triples.store.sqlite import inferred_facts as sqlite


def replace_all(derived: pa.Table, state: State, holder: Holder, progress: Progress) -> None:
    """Put these facts in the place of all that stand. It is quick in the order of their keys, which the engine has."""
    rows = derived.select(DERIVED.names).cast(DERIVED).rename_columns(list(COLUMNS))
    if holder is None:
        sqlite.replace_all(rows, state, progress)
    else:
        postgresql.replace_all(holder, rows, state, progress)


def apply(removed: Collection[Key], put: Mapping[Key, Proof], state: State, holder: Holder) -> None:
    """Remove facts, then insert or overwrite others; `state.facts` is what that comes to."""
    rows = _rows(put)
    if holder is None:
        sqlite.apply(removed, rows, state)
    else:
        postgresql.apply(holder, removed, rows, state)


def hide_unknown(state: State, holder: Holder) -> None:
    """Find out what is hidden of the facts in place, where that is not stored.

    A run may have died just after it had put them in place, or the database may be a copy of that moment.
    """
    if HiddenGeneration.objects.filter(generation=state.generation).exists():
        return
    if holder is None:
        sqlite.hide(state)
    else:
        postgresql.hide(holder, state)


def contents() -> pa.Table:
    """All inferred facts, in the order of their keys."""
    return postgresql.contents() if connection.vendor == "postgresql" else sqlite.contents()


def discard() -> None:
    """Remove the inferred facts and their state, as if there had been no run."""
    if connection.vendor == "postgresql":
        postgresql.discard()
    else:
        sqlite.discard()


def _rows(put: Mapping[Key, Proof]) -> Iterator[tuple[Any, ...]]:
    for key in sorted(put):
        weight, depth, rule, free = put[key]
        rest = orjson.dumps(free[1:]).decode() if len(free) > 1 else None
        yield *key, weight, depth, rule, free[0] if free else None, rest
