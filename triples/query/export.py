"""Facts as a stream, all of them as they stood at one moment, while others go on writing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Literal, NamedTuple

from django.db import connection

from triples import ids
from triples.query.explanations import own_connection
from triples.store.backend import backend
from triples.store.fact_tables import HEAVIEST
from triples.store.inferred.layout import KEY
from triples.store.inferred.read_snapshots import VisibleFacts
from triples.store.operations import Pattern
from triples.store.select import NO_INDEX, OF_SHAPE, TEXTS, Select, shape_of, sql

ROWS_AT_ONCE = 2_000

# Which inferred facts are among those of a stream, beside the asserted ones or alone.
Inferred = Literal["without", "with", "only"]

_COUNT = "SELECT coalesce(sum(triples), 0) FROM triples_tally"


class StreamedFact(NamedTuple):
    subject: str
    predicate: str
    object: str
    weight: float
    metadata: str | None
    # The public id, and times in milliseconds since 1970, where they are asked for.
    id: str | None = None
    created_ms: int | None = None
    updated_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of facts. `total` is their number, if it is known without counting."""

    total: int | None
    batches: Iterator[list[StreamedFact]]


@contextmanager
def stream(
    pattern: Pattern, min_weight: float, inferred: Inferred = "without", *, with_ids: bool = False
) -> Iterator[Stream]:
    """The facts that match: the asserted ones, then the inferred ones, with their ids and times if these are wanted.

    All asserted facts are sorted by id, those of a narrower pattern by falling weight, then by id.
    """
    key_of = backend().dialect.key_of
    parameters = [*(key_of(text) for text in pattern if text is not None), min_weight]
    with connection.wrap_database_errors, _moment(inferred) as (driver, visible), ExitStack() as stack:
        everything = pattern == (None, None, None) and min_weight == 0 and inferred == "without"
        total = int(driver.execute(_COUNT).fetchone()[0]) if everything else None
        batches: list[Iterator[list[StreamedFact]]] = []
        if inferred != "only":
            cursor = stack.enter_context(closing(_cursor(driver, "asserted")))
            cursor.execute(_statement(pattern, with_ids=with_ids), parameters)
            batches.append(_batches(cursor, _asserted_with_id if with_ids else _asserted))
        if inferred != "without" and visible is not None and visible.filter is not None:
            batches.append(_inferred(driver, stack, pattern, parameters, visible, with_ids=with_ids))
        yield Stream(total, chain.from_iterable(batches))


@contextmanager
def _moment(inferred: Inferred) -> Iterator[tuple[Any, VisibleFacts | None]]:
    """A transaction that sees one moment: the driver's connection, and the inferred facts that can be seen in it."""
    if inferred != "without":
        with own_connection(always=True) as (session, _, visible):
            yield session.driver, visible
        return
    connection.ensure_connection()
    # The driver's own connection: Django's cursors would read every row at once.
    driver: Any = connection.connection
    driver.execute(backend().dialect.begin_reading)
    try:
        yield driver, None
    finally:
        driver.execute("ROLLBACK")


def _inferred(
    driver: Any, stack: ExitStack, pattern: Pattern, parameters: list[Any], visible: VisibleFacts, *, with_ids: bool
) -> Iterator[list[StreamedFact]]:
    """The inferred facts, for which the database is asked when the first of them is."""
    shape = shape_of(pattern)
    columns = (*TEXTS, "weight", *KEY) if with_ids else (*TEXTS, "weight")
    select = Select("inferred", columns, shape, start="top", filter=visible.filter)
    merged = 1 if visible.filter is None else len(visible.filter.merged_for(shape)) or 1
    cursor = stack.enter_context(closing(_cursor(driver, "inferred")))
    cursor.execute(sql(select, backend().dialect), parameters * merged)
    written_ms = visible.state.written_ms if with_ids else None
    yield from _batches(cursor, partial(_inferred_fact, written_ms))


def _asserted(row: Sequence[Any]) -> StreamedFact:
    return StreamedFact(*row)


def _asserted_with_id(row: Sequence[Any]) -> StreamedFact:
    subject, predicate, object_, weight, metadata, id_, created_ms, updated_ms = row
    public_id = ids.pack(created_ms, id_)
    return StreamedFact(subject, predicate, object_, weight, metadata, public_id, created_ms, updated_ms)


def _inferred_fact(written_ms: int | None, row: Sequence[Any]) -> StreamedFact:
    subject, predicate, object_, weight, *key = row
    id_ = ids.pack_inferred(*key) if key else None
    return StreamedFact(subject, predicate, object_, weight, None, id_, written_ms)


def _cursor(driver: Any, name: str) -> Any:
    """A cursor that does not read ahead. On PostgreSQL, only a named cursor leaves the rows on the server."""
    return driver.cursor(name=f"export_{name}") if backend().dialect.names_cursors else driver.cursor()


def _batches(cursor: Any, fact_of: Callable[[Sequence[Any]], StreamedFact]) -> Iterator[list[StreamedFact]]:
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield list(map(fact_of, rows))


def _statement(pattern: Pattern, *, with_ids: bool = False) -> str:
    """Parameters: the pattern's constants, the least weight."""
    shape = shape_of(pattern)
    # The order of an index, so that nothing is sorted before the first fact is read; but one subject and one object
    # share few facts, which are found by the unique index.
    order, index = (HEAVIEST["asserted"], OF_SHAPE) if any(shape) else (("id",), NO_INDEX)
    columns = (*TEXTS, "weight", "metadata", *(("id", "created_at", "updated_at") if with_ids else ()))
    return sql(Select("asserted", columns, shape, start="top", order=order, by_index=index), backend().dialect)
