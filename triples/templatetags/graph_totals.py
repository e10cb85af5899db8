"""The graph in numbers, for templates."""

from django import template

from triples.query.fact_lists import fetch
from triples.store.statistics import Statistics, statistics

register = template.Library()


@register.simple_tag
def graph_totals() -> Statistics:
    """Exact counts, at a cost that does not grow with the graph."""
    return statistics(fetch)


@register.filter
def grouped(number: float) -> str:
    """12345 as 12,345."""
    return f"{number:,}"
