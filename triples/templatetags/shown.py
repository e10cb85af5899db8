"""Texts of the graph, for templates."""

from django import template
from django.utils.safestring import SafeString

from triples.admin.shown import isolated as isolated_html

register = template.Library()


@register.filter
def isolated(text: str) -> SafeString:
    return isolated_html(text)
