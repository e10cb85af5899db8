"""Faults in forms, for templates."""

from django import template
from django.forms import BaseForm

register = template.Library()


@register.simple_tag
def focus_fault(form: BaseForm) -> str:
    """Put the focus on the first faulty field, without a script. It must come before the fields in the template."""
    for name, field in form.fields.items():
        if name in form.errors:
            field.widget.attrs["autofocus"] = True
            break
    return ""
