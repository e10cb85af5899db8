"""Admission: the one check of all facts that come into the graph, over HTTP, from files, or through the admin."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson
from django.conf import settings

from triples.text import MAX_PREDICATE_LENGTH, MAX_TERM_LENGTH, clean_guide_term, clean_term

MAX_METADATA_BYTES = 16 * 1024
# The most characters of a new term, and of a new predicate.
LONGEST_TERM: int = settings.ENV.max_term_length
LONGEST_PREDICATE = min(MAX_PREDICATE_LENGTH, LONGEST_TERM)

_clean = clean_guide_term if settings.ENV.term_pattern == "guide" else clean_term
# Whether printable ASCII without space around it is a term as it is; the deployment guide's have fewer characters.
PLAIN_IS_CLEAN = _clean is clean_term

# For new subjects and objects, and for new predicates.
clean_text = partial(_clean, limit=LONGEST_TERM)
clean_predicate = partial(_clean, limit=LONGEST_PREDICATE)

# For those that are asked for: longer ones may be there, of a time or a host with another setting.
asked_text = partial(_clean, limit=MAX_TERM_LENGTH)
asked_predicate = partial(_clean, limit=MAX_PREDICATE_LENGTH)


def metadata_text(metadata: Mapping[str, Any] | None) -> str | None:
    """Metadata as the JSON text to be stored, None when there is nothing in it; ValueError when it is too large."""
    if not metadata:
        return None
    text = orjson.dumps(metadata)
    if len(text) > MAX_METADATA_BYTES:
        raise ValueError(f"must take at most {MAX_METADATA_BYTES:,} bytes as JSON, not {len(text):,}")
    return text.decode()
