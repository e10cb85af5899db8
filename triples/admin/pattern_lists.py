"""The list of the facts of a pattern, inferred ones or both kinds: its form, and a page of it."""

import struct
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import BadRequest
from rest_framework.exceptions import APIException

from triples.admin.fact_lines import FactLines, Line
from triples.admin.kind_tabs import Numbers, numbers_of
from triples.admin.links import Kinds
from triples.admin.term_inputs import TermInput
from triples.http.list_cursors import cursor_after, position_of
from triples.models import Rule
from triples.query.explanations import own_connection
from triples.query.graph_facts import GraphFacts
from triples.query.reads import Position, Wanted, page
from triples.store.operations import Pattern
from triples.text import MAX_PREDICATE_LENGTH, TermError, clean_term

PAGE = 50


class PatternForm(forms.Form):
    """The pattern of the facts to list: exact terms, or anything where a place is left empty."""

    subject = forms.CharField(required=False, widget=TermInput("subject"))
    predicate = forms.CharField(required=False, widget=TermInput("predicate"))
    object = forms.CharField(required=False, widget=TermInput("object"))
    min_weight = forms.FloatField(
        label="Least weight",
        required=False,
        min_value=0,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )

    def clean_subject(self) -> str | None:
        return self._term("subject")

    def clean_predicate(self) -> str | None:
        return self._term("predicate", MAX_PREDICATE_LENGTH)

    def clean_object(self) -> str | None:
        return self._term("object")

    @property
    def pattern(self) -> Pattern:
        chosen = self.cleaned_data
        return chosen["subject"], chosen["predicate"], chosen["object"]

    def wanted(self, kinds: Kinds) -> Wanted:
        least = self.cleaned_data["min_weight"] or 0.0
        return Wanted(self.pattern, least, asserted=kinds != "inferred", inferred=kinds != "asserted")

    def _term(self, place: str, *limit: int) -> str | None:
        text: str = self.cleaned_data[place]
        try:
            return clean_term(text, *limit) if text else None
        except TermError as error:
            raise forms.ValidationError(f"This cannot be a term: it {error}.") from None


class Listed(NamedTuple):
    """A page of facts, heaviest first."""

    lines: list[Line]
    # The cursor of the next page; empty on the last one.
    after: str
    numbers: Numbers
    # Whether there has been a run.
    derived: bool


def listed(wanted: Wanted, after: Position | None) -> Listed:
    with own_connection(always=True) as (session, dialect, shown):
        rows = page(session.rows, dialect, shown, wanted, limit=PAGE + 1, after=after)
        numbers = numbers_of(session.rows, dialect, shown, wanted.pattern, wanted.min_weight)
        kept = rows[:PAGE]
        texts = {text for row in kept for text in (row.subject, row.predicate, row.object)}
        ids = GraphFacts(session.rows, dialect, None).ids(texts)
    lines = FactLines(ids, dict(Rule.objects.values_list("name", "id")))
    following = cursor_after(kept[-1]) if len(rows) > PAGE else ""
    return Listed([lines.line(row) for row in kept], following, numbers, shown is not None)


def next_page(parameters: dict[str, Any], after: str) -> str:
    """The query string of the page behind the cursor."""
    return urlencode({name: value for name, value in parameters.items() if value} | {"after": after})


def position(cursor: str) -> Position | None:
    if not cursor:
        return None
    try:
        return position_of(cursor)
    except (APIException, ValueError, struct.error):
        raise BadRequest("a cursor that no page has given") from None
