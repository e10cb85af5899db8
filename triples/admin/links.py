"""Addresses of the admin's pages for terms and facts, and for lists of the facts of a pattern."""

from typing import Literal
from urllib.parse import urlencode

from django.contrib.admin.views.main import SEARCH_VAR
from django.urls import reverse

from triples import ids
from triples.admin.searches import written
from triples.query.fact_lists import PLACES
from triples.query.fact_rows import AnyRow
from triples.store.operations import Pattern, Row

# Which facts a list shows: those of one kind, or all.
Kinds = Literal["asserted", "inferred", "both"]
ANYTHING: Pattern = (None, None, None)


def term_url(id_: int) -> str:
    return reverse("admin:triples_term_change", args=[id_])


def fact_url(row: AnyRow) -> str:
    """The page where an asserted fact is changed, or the proof of an inferred one."""
    if isinstance(row, Row):
        return reverse("admin:triples_triple_change", args=[row.id])
    return reverse("admin:triples_inferredtriple_proof", args=[ids.pack_inferred(*row.key)])


def list_url(pattern: Pattern, kinds: Kinds) -> str:
    """The list of the facts of a pattern, heaviest first."""
    subject, predicate, object_ = pattern
    if kinds == "asserted" and (subject is None or object_ is None):
        # The list where facts can be changed finds those of one term.
        named = {"predicate": predicate} if predicate is not None else {}
        if subject is not None:
            named[SEARCH_VAR] = written("subject", subject)
        if object_ is not None:
            named[SEARCH_VAR] = written("object", object_)
        return _address("admin:triples_triple_changelist", named)
    named = {place: text for place, text in zip(PLACES, pattern, strict=True) if text is not None}
    if kinds != "inferred":
        named["kinds"] = kinds
    return _address("admin:triples_inferredtriple_changelist", named)


def _address(view: str, parameters: dict[str, str]) -> str:
    return f"{reverse(view)}?{urlencode(parameters)}" if parameters else reverse(view)
