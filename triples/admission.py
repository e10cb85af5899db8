"""Admission: the one check of all facts that come into the graph, over HTTP, from files, or through the admin."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.conf import settings

from triples.text import MAX_PREDICATE_LENGTH, clean_guide_term, clean_term

MAX_METADATA_BYTES = 16 * 1024

# For subjects and objects; predicates are shorter.
clean_text = clean_guide_term if settings.ENV.term_pattern == "guide" else clean_term


def clean_predicate(text: str) -> str:
    return clean_text(text, MAX_PREDICATE_LENGTH)


def metadata_text(metadata: Mapping[str, Any] | None) -> str | None:
    """Metadata as the JSON text to be stored, None when there is nothing in it; ValueError when it is too large."""
    if not metadata:
        return None
    text = orjson.dumps(metadata)
    if len(text) > MAX_METADATA_BYTES:
        raise ValueError(f"must take at most {MAX_METADATA_BYTES:,} bytes as JSON, not {len(text):,}")
    return text.decode()
