"""What the writers of several formats share."""

from collections.abc import Iterator
from typing import Any

import orjson

from triples.exchange.lines import BYTE_ORDER_MARK


def with_mark_kept(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The content. An import drops a byte order mark at its beginning, so one that belongs to a term gets another."""
    first = next(parts, b"")
    if first.startswith(BYTE_ORDER_MARK):
        yield BYTE_ORDER_MARK
    yield first
    yield from parts


def fact_content(subject: str, predicate: str, object_: str, weight: float, metadata: str | None) -> dict[str, Any]:
    """A fact as JSON with the API's field names."""
    content = {"subject": subject, "predicate": predicate, "object": object_, "weight": weight}
    return content if metadata is None else {**content, "metadata": orjson.Fragment(metadata)}
