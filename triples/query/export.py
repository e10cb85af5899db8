"""Facts as a stream, all of them as they stood at one moment, while others go on writing."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from triples.store.backend import backend
from triples.store.fact_tables import HEAVIEST
from triples.store.operations import Pattern
from triples.store.select import NO_INDEX, OF_SHAPE, TEXTS, Select, shape_of, sql

ROWS_AT_ONCE = 2_000

_COUNT = "SELECT coalesce(sum(triples), 0) FROM triples_tally"


class StreamedFact(NamedTuple):
    subject: str
    predicate: str
    object: str
    weight: float
    metadata: str | None


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of facts. `total` is their number, if it is known without counting."""

    total: int | None
    batches: Iterator[list[StreamedFact]]


@contextmanager
def stream(pattern: Pattern, min_weight: float) -> Iterator[Stream]:
    """The facts that match. All facts are sorted by id, those of a narrower pattern by falling weight, then by id."""
    connection.ensure_connection()
    # The driver's own connection: Django's cursors would read every row at once.
    driver: Any = connection.connection
    with connection.wrap_database_errors:
        driver.execute(backend().dialect.begin_reading)
        try:
            everything = pattern == (None, None, None) and min_weight == 0
            total = int(driver.execute(_COUNT).fetchone()[0]) if everything else None
            constants = [text for text in pattern if text is not None]
            with closing(_cursor(driver)) as cursor:
                cursor.execute(_statement(pattern), [*constants, min_weight])
                yield Stream(total, _batches(cursor))
        finally:
            driver.execute("ROLLBACK")


def _cursor(driver: Any) -> Any:
    """A cursor that does not read ahead. On PostgreSQL, only a named cursor leaves the rows on the server."""
    return driver.cursor(name="export") if backend().dialect.names_cursors else driver.cursor()


def _batches(cursor: Any) -> Iterator[list[StreamedFact]]:
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield [StreamedFact(*row) for row in rows]


def _statement(pattern: Pattern) -> str:
    """Parameters: the pattern's constants, the least weight."""
    shape = shape_of(pattern)
    # The order of an index, so that nothing is sorted before the first fact is read; but one subject and one object
    # share few facts, which are found by the unique index.
    order, index = (HEAVIEST["asserted"], OF_SHAPE) if any(shape) else (("id",), NO_INDEX)
    columns = (*TEXTS, "weight", "metadata")
    return sql(Select("asserted", columns, shape, start="top", order=order, by_index=index), backend().dialect)
