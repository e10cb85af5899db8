"""The reads of the API, each as a function of `fetch`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from triples.store.operations import Pattern, Row
from triples.store.patterns import COUNT_LIMIT, Dialect, Position, Start, count, select, shape_of
from triples.store.reader import Fetch, Rows


class Matches(NamedTuple):
    """The heaviest facts of a pattern, and how many match it in all."""

    rows: list[Row]
    total: int
    capped: bool


def heaviest(
    fetch: Fetch, dialect: Dialect, pattern: Pattern, *, k: int, min_weight: float, with_metadata: bool
) -> Matches:
    """The k heaviest facts that match, ties by id; `total` is exact up to `COUNT_LIMIT`."""
    shape = shape_of(pattern)
    constants = [term for term in pattern if term is not None]
    statement = select(shape, "top", dialect, with_metadata=with_metadata)
    rows = _rows(fetch(statement, [*constants, min_weight, k]), pattern)
    if len(rows) < k:
        return Matches(rows, len(rows), False)
    [(total,)] = fetch(count(shape, dialect), [*constants, min_weight])
    return Matches(rows, min(total, COUNT_LIMIT), total > COUNT_LIMIT)


def page(
    fetch: Fetch, dialect: Dialect, pattern: Pattern, *, limit: int, min_weight: float, after: Position | None
) -> list[Row]:
    """At most `limit` facts in the order of `heaviest`, from the position on.

    The facts of the position's own weight and the lighter ones are two reads, because each is one range
    of the index; one condition for both would read the whole weight again for every page.
    """
    if after is None:
        return _part(fetch, dialect, pattern, "top", [min_weight], limit)
    found: list[Row] = []
    if after.weight >= min_weight:
        found = _part(fetch, dialect, pattern, "same weight", [after.weight, after.id], limit)
    if len(found) < limit:
        found += _part(fetch, dialect, pattern, "lighter", [after.weight, min_weight], limit - len(found))
    return found


def fact(fetch: Fetch, dialect: Dialect, id_: int) -> Row | None:
    """The fact with this key."""
    found = fetch(_BY_ID.format(metadata=dialect.metadata).replace("?", dialect.placeholder), [id_])
    return Row(*found[0]) if found else None


_BY_ID = (
    "SELECT t.id, t.created_at, t.updated_at, t.source, t.weight, t.{metadata}, s.text, p.text, o.text"
    " FROM triples_triple AS t JOIN triples_term AS s ON s.id = t.subject_id"
    " JOIN triples_term AS p ON p.id = t.predicate_id JOIN triples_term AS o ON o.id = t.object_id"
    " WHERE t.id = ?"
)


def _part(
    fetch: Fetch, dialect: Dialect, pattern: Pattern, start: Start, bounds: Sequence[Any], limit: int
) -> list[Row]:
    constants = [term for term in pattern if term is not None]
    statement = select(shape_of(pattern), start, dialect, with_metadata=True)
    return _rows(fetch(statement, [*constants, *bounds, limit]), pattern)


def _rows(found: Rows, pattern: Pattern) -> list[Row]:
    """Put the pattern's constants back among the texts that were read."""
    return [Row._make((*row[:6], *_texts(pattern, row[6:]))) for row in found]


def _texts(pattern: Pattern, read: Sequence[str]) -> tuple[str, str, str]:
    texts = iter(read)
    subject, predicate, object_ = (next(texts) if term is None else term for term in pattern)
    return subject, predicate, object_
