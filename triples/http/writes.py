"""Facts as clients send them, made ready for the store."""

from typing import Any

import orjson

from triples.http.request_models import TripleIn
from triples.models import Source
from triples.store.operations import Fact


def fact_of(item: TripleIn, source: Source) -> Fact:
    # Removes -0.0, at less cost than a validator for each weight of a batch.
    return Fact(item.subject, item.predicate, item.object, item.weight + 0.0, json_text(item.metadata), source)


def json_text(metadata: dict[str, Any] | None) -> str | None:
    return orjson.dumps(metadata).decode() if metadata else None
