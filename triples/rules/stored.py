"""Stored rules: their order, their documents, their versions."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import orjson
from django.db import connection
from django.db.models.functions import Collate

from triples.fields import to_milliseconds
from triples.models import Rule as StoredRule

RULES_AT_ONCE = 100


def page(*, limit: int, after: str = "") -> list[StoredRule]:
    """The first rules whose names come after that one.

    Names are ordered as the engine orders them: by code points, which PostgreSQL's locale may not.
    """
    name = Collate("name", "C" if connection.vendor == "postgresql" else "BINARY")
    return list(StoredRule.objects.annotate(ordered=name).filter(ordered__gt=after).order_by("ordered")[:limit])


def in_order() -> Iterator[StoredRule]:
    """All rules by name, with few of them in memory at a time."""
    rules = page(limit=RULES_AT_ONCE)
    while rules:
        yield from rules
        rules = page(limit=RULES_AT_ONCE, after=rules[-1].name)


def whole_document(stored: StoredRule) -> dict[str, Any]:
    """The document that stores this rule again, in another database for one."""
    return {**stored.document, "description": stored.description, "enabled": stored.enabled}


def version(stored: StoredRule) -> str:
    """Changes whenever the rule does; the entity tag of a conditional request."""
    state = [stored.pk, to_milliseconds(stored.updated_at), whole_document(stored)]
    return blake2b(orjson.dumps(state), digest_size=9).hexdigest()
