"""The form of what a run is asked to do."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget

from triples.fact_validation import asked_text
from triples.models import Rule
from triples.runs.options import RunOptions, check_names
from triples.text import TermError

MAX_DEPTH = 1000


class RunForm(forms.Form):
    """The options of a run; without any, it derives everything."""

    max_depth = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_DEPTH, help_text="The most steps of a proof; empty for any number."
    )
    min_weight = forms.FloatField(
        min_value=0,
        max_value=1,
        initial=0,
        widget=forms.NumberInput(attrs={"step": "any"}),
        help_text="Lighter facts are not derived.",
    )
    entity_types = forms.CharField(
        required=False,
        widget=AdminTextareaWidget(attrs={"rows": 2}),
        help_text="Derive facts of entities of these types only, each on a line of its own; empty for all.",
    )
    rules = forms.ModelMultipleChoiceField(
        queryset=Rule.objects.none(),
        required=False,
        to_field_name="name",
        help_text="Apply these rules only, and leave alone what the others derived; none chosen for all.",
    )
    force = forms.BooleanField(required=False, help_text="Derive everything anew, even if nothing has changed.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rules = self.fields["rules"]
        assert isinstance(rules, forms.ModelMultipleChoiceField)
        rules.queryset = Rule.objects.filter(enabled=True).only("name")

    def clean_entity_types(self) -> tuple[str, ...]:
        lines = [line for line in self.cleaned_data["entity_types"].splitlines() if line.strip()]
        try:
            types = tuple(dict.fromkeys(map(asked_text, lines)))
        except TermError as error:
            raise forms.ValidationError(f"A type {error}.") from None
        return _checked(types, "The types")

    def clean_rules(self) -> tuple[str, ...]:
        return _checked(tuple(rule.name for rule in self.cleaned_data["rules"]), "The rules")

    @property
    def options(self) -> RunOptions:
        return RunOptions.of(self.cleaned_data)


def _checked(names: tuple[str, ...], called: str) -> tuple[str, ...]:
    try:
        return check_names(names)
    except ValueError as error:
        raise forms.ValidationError(f"{called} {error}.") from None
