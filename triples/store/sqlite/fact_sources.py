"""SQLite: the stored facts by index, many at a time."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from triples.patterns import Bound
from triples.store.inferred import fact_sources
from triples.store.inferred.fact_sources import Lookup, Source
from triples.store.sqlite.dialect import SQLITE


class SQLiteSource(Source):
    def _rows(self, lookup: Lookup, bound: Sequence[Bound]) -> Iterator[Any]:
        # A key is a tuple by its class only, which JSON does not know.
        given = orjson.dumps(bound, default=tuple).decode()
        cursor = self._driver.execute(lookup.sql(SQLITE), (given,))
        while rows := cursor.fetchmany(fact_sources.ROWS_AT_ONCE):
            yield from rows
