"""The facts that a deletion by pattern takes out, and the inferred facts that rest on them.

Facts are picked heaviest first, a page of an index at a time. Of a page, those are left out that were added at another
time, which no index knows. So however few match, every read is short.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from triples.fields import EPOCH, MILLISECOND
from triples.patterns import Shape
from triples.recursion.programs import Key
from triples.store.dialect import Dialect
from triples.store.inferred.hiding import Forecast
from triples.store.inferred.layout import KEY
from triples.store.operations import Pattern
from triples.store.select import Start, heaviest_first, shape_of, sql
from triples.store.sessions import Fetch, Rows
from triples.store.statistics import tallied_facts

# The facts that are deleted in one transaction; other writers can write in between.
BATCH = 500
# The facts that are read at once if nothing is deleted.
_COUNTED_AT_ONCE = 10_000

_COLUMNS = ("weight", "id", "created_at")


class Deletion(NamedTuple):
    """The asserted facts to delete. The bounds of time are in milliseconds, and are exclusive."""

    pattern: Pattern
    min_weight: float = 0.0
    max_weight: float = 1.0
    added_after: int | None = None
    added_before: int | None = None

    @property
    def is_bounded(self) -> bool:
        """True if the deletion depends on more than the pattern."""
        return self.min_weight > 0 or self.max_weight < 1 or self.has_times

    @property
    def has_times(self) -> bool:
        return self.added_after is not None or self.added_before is not None

    @property
    def is_everything(self) -> bool:
        return not self.is_bounded and self.pattern == (None, None, None)

    def admits(self, created_ms: int) -> bool:
        after, before = self.added_after, self.added_before
        return (after is None or created_ms > after) and (before is None or created_ms < before)


def added_between(after: datetime | None, before: datetime | None) -> dict[str, int | None]:
    """The bounds of a deletion in the milliseconds that facts are kept with."""
    return {
        "added_after": None if after is None else (after - EPOCH) // MILLISECOND,
        # Rounded up, so that a fact within that millisecond was added before.
        "added_before": None if before is None else -((EPOCH - before) // MILLISECOND),
    }


class Place(NamedTuple):
    """The progress of a deletion: the last fact that was checked."""

    weight: float
    id: int


class Picked(NamedTuple):
    """Some facts of a deletion."""

    ids: Sequence[int]
    keys: Sequence[Key]
    # Where the deletion continues; None at its end.
    after: Place | None


class Preview(NamedTuple):
    """The facts that a deletion would remove, as numbers."""

    facts: int
    # Inferred facts that would lose their proofs.
    inferred: int
    # Whether all inferred facts would be hidden until the next run, or are hidden already.
    hides_all: bool
    # If False, the time was over, and both numbers are of what was seen by then.
    complete: bool


def pick(fetch: Fetch, dialect: Dialect, deletion: Deletion, after: Place | None, limit: int) -> Picked:
    """The next facts to go, of `limit` facts that the index has from there on."""
    rows = _page(fetch, dialect, deletion, after, (*_COLUMNS, *KEY), limit)
    found = [row for row in rows if deletion.admits(row[2])]
    return Picked([row[1] for row in found], [Key(*row[3:]) for row in found], _place_after(rows, limit))


def preview(
    fetch: Fetch,
    dialect: Dialect,
    deletion: Deletion,
    forecast: Forecast | None,
    expired: Callable[[float], bool],
    after: Place | None = None,
) -> Preview:
    """The facts that would go from a place on. `forecast` is None where there are no inferred facts.

    `expired` is asked whether a part of the time is over.
    """
    facts, complete = _count(fetch, dialect, deletion, lambda: expired(0.5), after)
    if forecast is None:
        return Preview(facts, 0, hides_all=False, complete=complete)
    seen = 0
    while not forecast.everything:
        page = pick(fetch, dialect, deletion, after, BATCH)
        seen += len(page.ids)
        forecast.delete(page.keys)
        after = page.after
        if after is None:
            break
        if expired(1.0):
            complete = False
            break
    return Preview(max(facts, seen), len(forecast.facts), forecast.everything, complete)


def _count(
    fetch: Fetch, dialect: Dialect, deletion: Deletion, expired: Callable[[], bool], after: Place | None
) -> tuple[int, bool]:
    """The number of facts that would go, and whether all of them were counted."""
    subject, predicate, object_ = deletion.pattern
    if after is None and not deletion.is_bounded and subject is None and object_ is None:
        return tallied_facts(fetch, predicate), True
    columns = _COLUMNS if deletion.has_times else _COLUMNS[:2]
    facts = 0
    while True:
        rows = _page(fetch, dialect, deletion, after, columns, _COUNTED_AT_ONCE)
        facts += sum(deletion.admits(row[2]) for row in rows) if deletion.has_times else len(rows)
        after = _place_after(rows, _COUNTED_AT_ONCE)
        if after is None or expired():
            return facts, after is None


def _page(
    fetch: Fetch, dialect: Dialect, deletion: Deletion, after: Place | None, columns: tuple[str, ...], limit: int
) -> Rows:
    """Facts within the bounds of weight, in the order of the index, from behind `after` on."""
    shape = shape_of(deletion.pattern)
    constants = [dialect.key_of(text) for text in deletion.pattern if text is not None]

    def part(start: Start, bounds: Sequence[float], most: int) -> Rows:
        return fetch(_statement(shape, start, columns, dialect), [*constants, *bounds, most])

    # A place that was made up may be above the bounds.
    if after is None or after.weight > deletion.max_weight:
        return part("between", [deletion.max_weight, deletion.min_weight], limit)
    # Each is one range of the index.
    rows = part("same weight", after, limit) if after.weight >= deletion.min_weight else []
    if len(rows) < limit:
        rows += part("lighter", [after.weight, deletion.min_weight], limit - len(rows))
    return rows


def _place_after(rows: Rows, limit: int) -> Place | None:
    return Place(*rows[-1][:2]) if len(rows) == limit else None


@cache
def _statement(shape: Shape, start: Start, columns: tuple[str, ...], dialect: Dialect) -> str:
    """Parameters: the constants, the bounds of `start`, the limit."""
    return sql(heaviest_first("asserted", columns, shape, start), dialect)
