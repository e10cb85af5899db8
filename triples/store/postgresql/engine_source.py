"""PostgreSQL: the engine's source of stored facts."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from triples.patterns import Bound
from triples.recursion.programs import Program
from triples.store.inferred import engine_source
from triples.store.inferred.engine_source import Lookup, Source
from triples.store.postgresql.dialect import POSTGRESQL

# The planner cannot know that few values are given, for which a loop over an index is best.
LOOK_UP_BY_INDEX = [
    f"SET LOCAL {setting} = off" for setting in ("enable_hashjoin", "enable_mergejoin", "enable_seqscan", "jit")
]


class PostgreSQLSource(Source):
    def __init__(self, driver: Any, program: Program) -> None:
        super().__init__(driver, program)
        self._numbers = count()
        for statement in LOOK_UP_BY_INDEX:
            driver.execute(statement)

    def _rows(self, lookup: Lookup, bound: Sequence[Bound]) -> Iterator[Any]:
        # The rows stay on the server, since the caller may stop before it has read all.
        with self._driver.cursor(name=f"lookup_{next(self._numbers)}") as cursor:
            cursor.itersize = engine_source.ROWS_AT_ONCE
            cursor.execute(lookup.sql(POSTGRESQL), columns_of(bound, lookup))
            yield from cursor


def columns_of(bound: Sequence[Bound], lookup: Lookup) -> list[list[int]]:
    """The parameters of a look-up."""
    return [list(range(len(bound))), *([values[place] for values in bound] for place in range(len(lookup.columns)))]
