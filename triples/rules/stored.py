"""Stored rules: their order, their documents, their versions."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import orjson

from triples.fields import to_milliseconds
from triples.models import Rule as StoredRule


def in_order(rules: Iterable[StoredRule]) -> list[StoredRule]:
    """Rules by name as the engine orders them: by code points, which PostgreSQL's locale may not."""
    return sorted(rules, key=lambda rule: rule.name)


def whole_document(stored: StoredRule) -> dict[str, Any]:
    """The document that stores this rule again, in another database for one."""
    return {**stored.document, "description": stored.description, "enabled": stored.enabled}


def version(stored: StoredRule) -> str:
    """Changes whenever the rule does; the entity tag of a conditional request."""
    state = [stored.pk, to_milliseconds(stored.updated_at), whole_document(stored)]
    return blake2b(orjson.dumps(state), digest_size=9).hexdigest()
