"""Rules as forms: a line of text for each pattern."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.utils.text import capfirst

from triples.models import Rule as StoredRule
from triples.recursion.grammar import MAX_BODY
from triples.recursion.rules import MAX_NAME_LENGTH, RuleError, clean_name
from triples.rules.documents import Draft, read_rule
from triples.rules.lines import read_line, write_line
from triples.text import TermError

PREVIEW = "_preview"

# What the fields show while they are empty, and what a link puts into them.
EXAMPLE = {
    "name": "grandparent",
    "body": "?x parent_of ?y\n?y parent_of ?z",
    "head": "?x grandparent_of ?z",
    "weight": "0.95",
    "description": "A parent's parent is a grandparent, nearly always.",
}
# The name of a rule that is previewed before it has one.
UNNAMED = "this rule"

# Of a rule's document, what can be changed.
_MEMBERS = ("body", "head", "distinct", "weight", "description", "enabled")

_HOW_TO_WRITE = (
    "Subject, predicate and object with spaces between them. ?x and the like are variables; a term that has spaces"
    ' or begins with a question mark stands "in double quotes".'
)


class LinesField(forms.CharField):
    """Text in lines, cleaned to the places on each; empty lines count for nothing."""

    widget = AdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(write_line, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[list[str | dict[str, str]]]:
        lines = [line for line in super().clean(value).splitlines() if line.strip()]
        return [_read(line, number) for number, line in enumerate(lines, start=1)]

    def has_changed(self, initial: Any, data: Any) -> bool:
        # Browsers send a line end as carriage return and line feed.
        shown, sent = (str(self.prepare_value(text or "")).split() for text in (initial, data))
        return shown != sent


class PatternField(forms.CharField):
    """One line, cleaned to its places."""

    widget = AdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        return write_line(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str | dict[str, str]]:
        return _read(super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial or "") != (data or "").strip())


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    """A rule, new or stored; `draft` is what it says once it is valid."""

    name = forms.CharField(
        max_length=MAX_NAME_LENGTH,
        widget=AdminTextInputWidget(attrs={"placeholder": EXAMPLE["name"]}),
        help_text="Cannot be changed later. Of equally good proofs the one by the first rule in the alphabet counts.",
    )
    head = PatternField(
        label="Then",
        widget=AdminTextInputWidget(attrs={"placeholder": EXAMPLE["head"]}),
        help_text="What then follows: one pattern, of variables that stand above.",
    )
    body = LinesField(
        label="If",
        widget=AdminTextareaWidget(attrs={"rows": 4, "placeholder": EXAMPLE["body"]}),
        help_text=f"What must hold: 1 to {MAX_BODY} patterns, each on a line of its own. {_HOW_TO_WRITE}",
    )
    distinct = LinesField(
        required=False,
        widget=AdminTextareaWidget(attrs={"rows": 2}),
        help_text="Pairs of variables that must not stand for the same term, each on a line of its own: ?x ?z",
    )
    weight = forms.FloatField(
        initial=1.0,
        widget=forms.NumberInput(attrs={"step": "any"}),
        help_text="Above 0, at most 1. What is derived weighs as much as this times all that it rests on.",
    )
    description = forms.CharField(required=False, widget=AdminTextareaWidget(attrs={"rows": 2}))
    enabled = forms.BooleanField(required=False, initial=True, help_text="Whether runs apply the rule.")
    version = forms.CharField(required=False, widget=forms.HiddenInput)

    draft: Draft

    class Meta:
        model = StoredRule
        fields = ("name", *_MEMBERS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = self.instance if self.instance.pk else None
        if self.stored is not None:
            self.initial["version"] = self.stored.version
            del self.fields["name"]
        elif self.is_preview:
            self.fields["name"].required = False

    @property
    def is_preview(self) -> bool:
        """True if the reader wants to see what the rule would derive, and nothing else."""
        return PREVIEW in self.data

    def is_valid(self) -> bool:
        # What is not to be saved is never valid: the admin shows the form again, with all that was typed.
        return super().is_valid() and not self.is_preview

    def clean_name(self) -> str:
        if not self.cleaned_data["name"]:
            return UNNAMED
        try:
            name = clean_name(self.cleaned_data["name"])
        except TermError as error:
            raise forms.ValidationError(f"{capfirst(str(error))}.") from None
        if StoredRule.objects.filter(name=name).exists():
            raise forms.ValidationError("There is a rule with this name already.")
        return name

    def clean(self) -> None:
        if self.stored is not None and self.cleaned_data.get("version") != self.stored.version:
            raise forms.ValidationError(
                "The rule has been changed since you opened it. Nothing was saved; open it again to change what it is."
            )
        if self.errors:
            # One fault at a time is found in what the fields are together.
            return
        members = {member: self.cleaned_data[member] for member in _MEMBERS}
        name = self.instance.name if self.stored else self.cleaned_data["name"]
        try:
            self.draft = read_rule({"name": name, **members})
        except RuleError as error:
            field, place = _field_of(error)
            self.add_error(field, f"{capfirst(f'{place}{error}')}.")

    def _post_clean(self) -> None:
        """Nothing: the draft is what is stored, and the model's instance stays as it was read."""


def _field_of(error: RuleError) -> tuple[str | None, str]:
    """The field that has the fault, None where it is the whole rule, and the words that say where in it."""
    if not error.loc:
        return None, ""
    field, *places = error.loc
    told = ""
    if field != "head" and places:
        told = f"Line {int(places.pop(0)) + 1}: "
    if field != "distinct" and places:
        told += f"{('subject', 'predicate', 'object')[int(places[0])]}: "
    return str(field), told


def _read(line: str, number: int | None = None) -> list[str | dict[str, str]]:
    try:
        return read_line(line)
    except RuleError as error:
        told = str(error) if number is None else f"line {number}: {error}"
        raise forms.ValidationError(f"{capfirst(told)}.") from None
