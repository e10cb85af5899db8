"""The number of facts over time, from their ids: an id of a later fact is greater.

Each moment costs some look-ups by id, and never a scan, however large the graph is.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

from triples.fields import from_milliseconds, to_milliseconds
from triples.store.backend import backend
from triples.store.sessions import Fetch
from triples.store.statistics import tallied_facts

_ENDS = "SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM triples_triple"
_FROM = "SELECT id, created_at FROM triples_triple WHERE id >= ? ORDER BY id LIMIT 1"
_NEVER = 1 << 62


class Growth:
    """The facts that are stored now, by the time when they were added."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._from = backend().dialect.prepared(_FROM)
        [(self._first, self._last)] = fetch(_ENDS, [])
        self._total = tallied_facts(fetch)

    @property
    def since(self) -> datetime | None:
        """When the oldest fact was added; None if there is none."""
        return from_milliseconds(self._created(self._first)) if self._last >= self._first else None

    def counts(self, moments: Sequence[datetime]) -> list[int]:
        """For each moment, of rising ones, how many of the facts had been added before it.

        It is the share of the ids, which is exact if none is missing between the first and the last.
        """
        counts: list[int] = []
        place = self._first
        for moment in moments:
            place = bisect_left(range(self._last + 1), to_milliseconds(moment), lo=place, key=self._created)
            share = (place - self._first) / max(self._last - self._first + 1, 1)
            counts.append(round(share * self._total))
        return counts

    def _created(self, id_: int) -> int:
        """When the first fact was added that has this id or a greater one."""
        rows = self._fetch(self._from, [id_])
        # The last ones may have been deleted meanwhile.
        return int(rows[0][1]) if rows else _NEVER
