"""Text inputs for terms, which offer existing ones while somebody types. Without a script they are plain inputs."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.urls import reverse_lazy

from triples.query.fact_lists import Place

# The stubs know names of files only.
SCRIPT: Any = forms.Script("triples/terms.js", defer=True)


class TermInput(AdminTextInputWidget):
    """An input for a term in one place of a fact; the script makes a combobox of it."""

    def __init__(self, place: Place, attrs: dict[str, Any] | None = None) -> None:
        offered = {"data-terms": reverse_lazy("admin:triples_term_complete"), "data-place": place}
        plain = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
        super().__init__({**plain, **offered, **(attrs or {})})

    @property
    def media(self) -> forms.Media:
        return forms.Media(css={"all": ["triples/terms.css"]}, js=[SCRIPT])
