"""Texts and weights of the graph, for templates."""

from django import template
from django.utils.safestring import SafeString

from triples.admin.shown import isolated as isolated_html
from triples.http.fact_json import shown_weight
from triples.query.fact_rows import AnyRow
from triples.weights import computed

register = template.Library()


@register.filter
def isolated(text: str) -> SafeString:
    return isolated_html(text)


@register.filter
def weight_of(row: AnyRow) -> str:
    """The weight as the API shows it."""
    return repr(shown_weight(row))


@register.filter
def rounded(weight: float) -> str:
    """A weight that the service computed, such as that of an answer."""
    return repr(computed(weight))
