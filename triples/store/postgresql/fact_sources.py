"""PostgreSQL: the stored facts by index, many at a time."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from triples.patterns import Bound
from triples.recursion.programs import Program
from triples.store.inferred import fact_sources
from triples.store.inferred.fact_sources import Lookup, Source
from triples.store.postgresql.dialect import POSTGRESQL

# The planner cannot know how few values are given, nor that a loop over them by index is all that is wanted.
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
        # The server keeps the rows: there may be more than anybody will look at.
        with self._driver.cursor(name=f"lookup_{next(self._numbers)}") as cursor:
            cursor.itersize = fact_sources.ROWS_AT_ONCE
            cursor.execute(lookup.sql(POSTGRESQL), columns_of(bound, lookup))
            yield from cursor


def columns_of(bound: Sequence[Bound], lookup: Lookup) -> list[list[int]]:
    """The parameters of a look-up."""
    return [list(range(len(bound))), *([values[place] for values in bound] for place in range(len(lookup.columns)))]
