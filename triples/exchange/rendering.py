"""Functions that the writers of several formats share."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from skg_site.api.fields import rfc3339
from triples.exchange.lines import BYTE_ORDER_MARK
from triples.fields import from_milliseconds
from triples.query.export import StreamedFact


def with_mark_kept(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The content. An import drops a byte order mark at its beginning, so one that belongs to a term gets another."""
    first = next(parts, b"")
    if first.startswith(BYTE_ORDER_MARK):
        yield BYTE_ORDER_MARK
    yield first
    yield from parts


# What a file can tell of a fact beside what makes it the same fact.
EXTRAS = ("id", "created_at", "updated_at")


def extras_of(fact: StreamedFact, names: Sequence[str]) -> list[str | None]:
    """The further columns of a fact with these names."""
    found = {
        "id": fact.id,
        "created_at": None if fact.created_ms is None else _moment(fact.created_ms),
        "updated_at": None if fact.updated_ms is None else _moment(fact.updated_ms),
    }
    return [found[name] for name in names]


def _moment(milliseconds: int) -> str:
    return rfc3339(from_milliseconds(milliseconds))


def fact_content(subject: str, predicate: str, object_: str, weight: float, metadata: str | None) -> dict[str, Any]:
    """A fact as JSON with the API's field names."""
    content = {"subject": subject, "predicate": predicate, "object": object_, "weight": weight}
    return content if metadata is None else {**content, "metadata": orjson.Fragment(metadata)}
