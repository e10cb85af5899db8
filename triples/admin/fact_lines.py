"""Facts as the rows of tables: every term is a link to its page, and so is the fact itself."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.template.defaultfilters import truncatechars
from django.urls import reverse

from triples.admin.links import fact_url, term_url
from triples.http.fact_json import shown_weight
from triples.models import Source
from triples.query.fact_rows import AnyRow, InferredRow
from triples.visible import visible, visible_json

# Of metadata, in letters; the fact's own page has all.
_METADATA = 80


class Linked(NamedTuple):
    text: str
    url: str


class Line(NamedTuple):
    terms: tuple[Linked, ...]
    weight: str
    inferred: bool
    # The way an asserted fact came in, or the rule that an inferred one follows by.
    source: Linked
    # Of an inferred fact: the steps of its proof.
    steps: int | None
    metadata: str
    url: str
    text: str


class FactLines(NamedTuple):
    """Makes lines. It knows the ids of the terms of the facts, and those of rules by name."""

    ids: Mapping[str, int]
    rules: Mapping[str, int]

    def linked(self, text: str) -> Linked:
        return Linked(text, term_url(self.ids[text]))

    def line(self, row: AnyRow, places: Iterable[int] = range(3)) -> Line:
        """The row with the terms at these places."""
        texts = (row.subject, row.predicate, row.object)
        inferred = isinstance(row, InferredRow)
        return Line(
            terms=tuple(self.linked(texts[place]) for place in places),
            weight=repr(shown_weight(row)),
            inferred=inferred,
            source=self._origin(row),
            steps=row.depth if isinstance(row, InferredRow) else None,
            metadata=_metadata(row),
            url=fact_url(row),
            text=visible(" ".join(texts)),
        )

    def _origin(self, row: AnyRow) -> Linked:
        if not isinstance(row, InferredRow):
            return Linked(Source(row.source).label, "")
        rule = self.rules.get(row.rule)
        return Linked(row.rule, "" if rule is None else reverse("admin:triples_rule_change", args=[rule]))


def _metadata(row: AnyRow) -> str:
    if isinstance(row, InferredRow) or not row.metadata:
        return ""
    return truncatechars(visible_json(row.metadata), _METADATA)
