"""The number of facts over time, from their ids: an id of a later fact is greater.

All moments are searched for together, by halving: that takes a statement for each binary digit of the number of ids,
and never a scan, however large the graph is.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import orjson

from triples.fields import from_milliseconds, to_milliseconds
from triples.store.backend import backend
from triples.store.sessions import Fetch
from triples.store.statistics import tallied_facts

# Apart from each other: SQLite finds one end by a look-up, and both only by reading all.
_ENDS = "SELECT coalesce((SELECT min(id) FROM triples_triple), 1), coalesce((SELECT max(id) FROM triples_triple), 0)"
# For each of some ids, when the first fact was added that has this id or a greater one.
_ADDED = (
    "SELECT t.id, (SELECT created_at FROM triples_triple WHERE id >= t.id ORDER BY id LIMIT 1)"
    " FROM (SELECT {column} AS id FROM {keys}) AS t"
)


class Growth:
    """The facts that are stored now, by the time when they were added."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        dialect = backend().dialect
        self._added = dialect.prepared(_ADDED.format(column=dialect.key_column(0), keys=dialect.keys_table))
        [(self._first, self._last)] = fetch(_ENDS, [])
        self._total = tallied_facts(fetch)

    @property
    def since(self) -> datetime | None:
        """The time at which the oldest fact was added; None if there is none."""
        if self._last < self._first:
            return None
        return from_milliseconds(self._look_up([self._first])[self._first])

    def counts(self, moments: Sequence[datetime]) -> list[int]:
        """For each moment, how many of the facts had been added before it.

        It is the share of the ids, which is exact if none is missing between the first and the last.
        """
        wanted = [to_milliseconds(moment) for moment in moments]
        # The first id of a fact that was not added before is at least `low` and at most `high`.
        low, high = [self._first] * len(wanted), [self._last + 1] * len(wanted)
        while open_ := [place for place in range(len(wanted)) if low[place] < high[place]]:
            middles = {place: (low[place] + high[place]) // 2 for place in open_}
            added = self._look_up(set(middles.values()))
            for place, middle in middles.items():
                if added[middle] < wanted[place]:
                    low[place] = middle + 1
                else:
                    high[place] = middle
        ids = max(self._last - self._first + 1, 1)
        return [round((id_ - self._first) / ids * self._total) for id_ in low]

    def _look_up(self, ids: Collection[int]) -> dict[int, int]:
        rows = self._fetch(self._added, [orjson.dumps([[id_] for id_ in ids]).decode()])
        # The last facts may have been deleted meanwhile.
        return {id_: (1 << 62) if added is None else added for id_, added in rows}
