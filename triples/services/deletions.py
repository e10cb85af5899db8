"""Deletions by pattern: their preview, and the deletion itself in small transactions.

Over HTTP both have the time limit of reads, and writes go through the writer of the process. Commands have no limit.
"""

from collections.abc import Callable, Iterator, Sequence
from math import inf
from time import monotonic
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from triples.query.deleting import BATCH, Deletion, Picked, Place, Preview, pick, preview
from triples.query.explanations import own_connection
from triples.services.graph import PART_OF_TIME, graph
from triples.store.backend import backend
from triples.store.freshness import need_newest
from triples.store.group_commit import open_session, write_now
from triples.store.inferred.hiding import Forecast
from triples.store.inferred.read_snapshots import Read, VisibleFacts, in_snapshot
from triples.store.operations import ManyRemoved, Outcome, RemoveMany
from triples.store.sessions import Fetch, Session

# The facts that are read for the next batches, if some of them may not match.
_LOOKED_AT = 4 * BATCH

# Is called with the number of facts deleted so far.
Report = Callable[[int], None]


class Deleted(NamedTuple):
    """The number of deleted facts, and where to continue if the time was over before the end."""

    facts: int
    after: Place | None


async def deletion_preview(*, deletion: Deletion, after: Place | None = None) -> Preview:
    """Count the facts that a deletion would remove after a place; at least those found within the time limit."""
    need_newest()
    running = graph.running
    limit = PART_OF_TIME * settings.ENV.query_timeout
    began = monotonic()

    def read(fetch: Fetch, shown: VisibleFacts | None) -> Preview:
        # This is the connection of the reader's thread.
        forecast = _forecast(open_session(connection), shown)
        return preview(
            fetch, running.dialect, deletion, forecast, lambda part: monotonic() - began > part * limit, after
        )

    return await running.long.run(in_snapshot(read, always=True))


async def deletion_perform(*, deletion: Deletion, after: Place | None = None) -> Deleted:
    """Delete the matching facts after a place, within the time limit."""
    need_newest()
    running = graph.running
    end = monotonic() + PART_OF_TIME * settings.ENV.query_timeout
    facts = 0
    while True:
        picked = await running.long.run(_picking(deletion, after))
        for removal in _removals(picked, deletion):
            facts += _removed(await running.writer.write(removal))
        after = picked.after
        if after is None or monotonic() > end:
            return Deleted(facts, after)


def deletion_preview_now(*, deletion: Deletion, seconds: float = inf) -> Preview:
    """Count the facts that a deletion would remove, in this thread; at least those found within `seconds`."""
    began = monotonic()
    with own_connection(always=True) as (session, dialect, shown):
        forecast = _forecast(session, shown)
        return preview(session.rows, dialect, deletion, forecast, lambda part: monotonic() - began > part * seconds)


def deletion_perform_now(*, deletion: Deletion, report: Report) -> int:
    """Delete the matching facts, in this thread. Returns their number."""
    facts = 0
    after: Place | None = None
    while True:
        with connection.wrap_database_errors:
            picked = _pick(open_session(connection).rows, deletion, after)
        for removal in _removals(picked, deletion):
            [outcome] = write_now([removal])
            facts += _removed(outcome)
            report(facts)
        after = picked.after
        if after is None:
            return facts


def _forecast(session: Session, shown: VisibleFacts | None) -> Forecast | None:
    """The forecast for the transaction of the read; None if there are no inferred facts."""
    return None if shown is None else Forecast(session, everything=shown.filter is None)


def _picking(deletion: Deletion, after: Place | None) -> Read[Picked]:
    return lambda fetch, _: _pick(fetch, deletion, after)


def _pick(fetch: Fetch, deletion: Deletion, after: Place | None) -> Picked:
    limit = _LOOKED_AT if deletion.has_times else BATCH
    return pick(fetch, backend().dialect, deletion, after, limit)


def _removals(picked: Picked, deletion: Deletion) -> Iterator[RemoveMany]:
    """The operations, one for each transaction. Only a fact's weight can have changed since it was picked."""
    ids: Sequence[int] = picked.ids
    for start in range(0, len(ids), BATCH):
        yield RemoveMany(ids[start : start + BATCH], deletion.min_weight, deletion.max_weight)


def _removed(outcome: Outcome) -> int:
    assert isinstance(outcome, ManyRemoved)
    return outcome.removed
