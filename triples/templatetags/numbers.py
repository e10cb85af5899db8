"""Numbers in templates."""

from django import template

register = template.Library()


@register.filter
def grouped(number: float) -> str:
    """12345 as 12,345."""
    return f"{number:,}"
