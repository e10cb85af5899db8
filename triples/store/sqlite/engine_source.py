"""SQLite: the engine's source of stored facts."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from triples.patterns import Bound
from triples.store.inferred import engine_source
from triples.store.inferred.engine_source import Lookup, Source
from triples.store.sqlite.dialect import SQLITE


class SQLiteSource(Source):
    def _rows(self, lookup: Lookup, bound: Sequence[Bound]) -> Iterator[Any]:
        # JSON does not know the class of keys, a named tuple.
        given = orjson.dumps(bound, default=tuple).decode()
        cursor = self._driver.execute(lookup.sql(SQLITE), (given,))
        while rows := cursor.fetchmany(engine_source.ROWS_AT_ONCE):
            yield from rows
