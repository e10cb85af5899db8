"""Facts as a stream, all of them as they stood at one moment, while others go on writing."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from triples.store.operations import Pattern
from triples.store.patterns import COLUMNS, shape_of, sqlite_index

ROWS_AT_ONCE = 2_000

# Both keep what the first statement sees. Django's own transactions take SQLite's write lock.
_BEGIN = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}
_METADATA = {"sqlite": "t.metadata", "postgresql": "t.metadata::text"}
# SQLite takes CROSS JOIN as an order to keep: the facts first, then their terms.
_JOIN = {"sqlite": "CROSS JOIN", "postgresql": "JOIN"}
_COUNT = "SELECT coalesce(sum(triples), 0) FROM triples_tally"


class StreamedFact(NamedTuple):
    subject: str
    predicate: str
    object: str
    weight: float
    metadata: str | None


@dataclass(frozen=True, slots=True)
class Stream:
    """`total` is how many facts there will be, where that is known without counting them."""

    total: int | None
    batches: Iterator[list[StreamedFact]]


@contextmanager
def stream(pattern: Pattern, min_weight: float) -> Iterator[Stream]:
    """The facts that match: all of them by id, those of a narrower pattern heaviest first, then by id."""
    connection.ensure_connection()
    # The driver's own connection: Django's cursors would read every row at once.
    driver: Any = connection.connection
    with connection.wrap_database_errors:
        driver.execute(_BEGIN[connection.vendor])
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
    """One that does not read ahead: SQLite's never do, PostgreSQL's only where the server keeps the rows."""
    return driver.cursor() if connection.vendor == "sqlite" else driver.cursor(name="export")


def _batches(cursor: Any) -> Iterator[list[StreamedFact]]:
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield [StreamedFact(*row) for row in rows]


def _statement(pattern: Pattern) -> str:
    """Parameters: the pattern's constants, the least weight."""
    vendor = connection.vendor
    shape = shape_of(pattern)
    table = "triples_triple AS t"
    if vendor == "sqlite" and any(shape):
        table += f" INDEXED BY {sqlite_index(shape)}"
    fixed = [column for column, is_fixed in zip(COLUMNS, shape, strict=True) if is_fixed]
    conditions = [f"t.{column} = (SELECT id FROM triples_term WHERE text = ?)" for column in fixed]
    joins = "".join(f" {_JOIN[vendor]} triples_term AS {name[0]} ON {name[0]}.id = t.{name}" for name in COLUMNS)
    sql = (
        f"SELECT s.text, p.text, o.text, t.weight, {_METADATA[vendor]} FROM {table}{joins}"
        f" WHERE {' AND '.join([*conditions, 't.weight >= ?'])}"
        # The order of an index, so that nothing is sorted before the first fact is read; but one subject and one
        # object share few facts, which are found by the unique index.
        f" ORDER BY {'t.weight DESC, t.id' if fixed else 't.id'}"
    )
    return sql if vendor == "sqlite" else sql.replace("?", "%s")
