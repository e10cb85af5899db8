"""Facts for tests, stored as commands store them."""

from typing import Any

from django.db import transaction

from skg_site.host.write_lock import write_lock
from triples.models import Source, Triple
from triples.store.group_commit import write_now
from triples.store.operations import AddOne, Fact, Stored

DEFAULTS = (1.0, None, Source.API)
# Facts that are stored together get their ids in the order of their terms; tests with fewer can rely on their own.
ORDERED = 200


def store(*facts: tuple[Any, ...]) -> list[Triple]:
    """Store facts by one commit, each given as three terms and, where it matters, weight, metadata and source."""
    adding = [AddOne(Fact(*fact, *DEFAULTS[len(fact) - 3 :])) for fact in facts]
    groups = [[one] for one in adding] if len(adding) <= ORDERED else [adding]
    outcomes = []
    with write_lock(), transaction.atomic():
        for group in groups:
            outcomes += write_now(group)
    ids = [outcome.row.id for outcome in outcomes if isinstance(outcome, Stored)]
    assert len(ids) == len(facts)
    return list(Triple.objects.filter(pk__in=ids).order_by("id"))
