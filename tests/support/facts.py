"""Facts for tests, stored as commands store them."""

from typing import Any

from triples.models import Source, Triple
from triples.store.operations import AddOne, Fact, Stored
from triples.store.writing import write_now

DEFAULTS = (1.0, None, Source.API)


def store(*facts: tuple[Any, ...]) -> list[Triple]:
    """Store facts, each given as three terms and, where it matters, weight, metadata and source."""
    ids = []
    for fact in facts:
        # One after the other: facts that are stored together get their ids in the order of their terms.
        [stored] = write_now([AddOne(Fact(*fact, *DEFAULTS[len(fact) - 3 :]))])
        assert isinstance(stored, Stored)
        ids.append(stored.row.id)
    return list(Triple.objects.filter(pk__in=ids).order_by("id"))
