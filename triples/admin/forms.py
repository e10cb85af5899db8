"""Facts as forms, held to the same rules as the API's input."""

from typing import Any

import orjson
from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from pydantic import TypeAdapter, ValidationError

from skg_site.api.problems import BadRequest, Invalid
from skg_site.api.reading import parse_json
from triples.admin.term_inputs import TermInput
from triples.fact_validation import LONGEST_PREDICATE
from triples.http.fact_json import Metadata, Object, Predicate, Subject
from triples.models import Source, Triple
from triples.query.fact_lists import held_row
from triples.store.operations import KEEP, AddOne, Change, Fact
from triples.visible import visible_json


class CheckedField(forms.CharField):
    """Text that a type of the API's input has to accept."""

    def __init__(self, annotation: Any, **kwargs: Any) -> None:
        self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        super().__init__(**kwargs)

    def checked(self, value: Any) -> Any:
        try:
            return self._adapter.validate_python(value, strict=True)
        except ValidationError as error:
            faults = [fault["msg"].removeprefix("Value error, ") for fault in error.errors()]
            raise forms.ValidationError([f"{fault[0].upper()}{fault[1:]}." for fault in faults]) from None


class TermField(CheckedField):
    def clean(self, value: Any) -> str:
        text: str = self.checked(super().clean(value))
        return text


class MetadataField(CheckedField):
    """JSON as text, to and from people: an object, indented."""

    widget = AdminTextareaWidget

    def clean(self, value: Any) -> str | None:
        """The JSON text to store; None when there is nothing in it."""
        text = super().clean(value)
        if not text:
            return None
        try:
            content = parse_json(text.encode())
        except Invalid as problem:
            raise forms.ValidationError(
                [f"{fault['msg']}{_place(fault['loc'])}." for fault in problem.errors]
            ) from None
        except BadRequest as problem:
            raise forms.ValidationError(str(problem.detail).replace("The body", "This", 1)) from None
        if not isinstance(content, dict):
            raise forms.ValidationError('Must be a JSON object, such as {"source": "wikipedia"}.')
        self.checked(content)
        return orjson.dumps(content).decode() if content else None

    def has_changed(self, initial: Any, data: Any) -> bool:
        # Browsers send a line end as carriage return and line feed.
        shown, sent = ((text or "").replace("\r\n", "\n").strip() for text in (initial, data))
        return bool(shown != sent)


class FactForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    """The fields and checks that the forms for a new and for a stored fact share."""

    weight = forms.FloatField(
        min_value=0,
        max_value=1,
        initial=1.0,
        help_text="From 0 (no belief) to 1 (certain).",
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    metadata = MetadataField(
        Metadata,
        required=False,
        help_text="A JSON object of at most 16 KiB; empty for none.",
    )

    class Meta:
        model = Triple
        fields = ("weight", "metadata")

    def clean_weight(self) -> float:
        # As over HTTP, -0.0 is 0.0.
        weight: float = self.cleaned_data["weight"] + 0.0
        return weight

    def _post_clean(self) -> None:
        """Nothing: the store takes what the form holds, and the model's instance stays as it was read."""


class NewFactForm(FactForm):
    subject = TermField(
        Subject,
        widget=TermInput("subject"),
        help_text="What the fact is about. Choose one of the terms that are offered, or write a new one.",
    )
    predicate = TermField(
        Predicate,
        widget=TermInput("predicate"),
        help_text=f"How the two are related; at most {LONGEST_PREDICATE} characters.",
    )
    object = TermField(Object, widget=TermInput("object"), help_text="What it is related to.")

    @property
    def operation(self) -> AddOne:
        values = self.cleaned_data
        terms = values["subject"], values["predicate"], values["object"]
        return AddOne(Fact(*terms, values["weight"], values["metadata"], Source.ADMIN))


class StoredFactForm(FactForm):
    """Weight and metadata of the version that the reader was shown."""

    version = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = held_row(self.instance.pk)
        if self.row is not None:
            self.initial = {
                **self.initial,
                "weight": self.row.weight,
                "metadata": indented(self.row.metadata),
                "version": self.row.version,
            }

    def clean(self) -> None:
        if self.row is None:
            raise forms.ValidationError("The fact has been deleted since you opened it.")
        if self.cleaned_data.get("version") != self.row.version:
            raise forms.ValidationError(
                "The fact has been changed since you opened it: its weight is now %(weight)s."
                " Nothing was saved; open it again to change what it is now.",
                params={"weight": self.row.weight},
            )

    @property
    def operation(self) -> Change:
        assert self.row is not None, "a form without a row is not valid"
        weight, metadata = (
            self.cleaned_data[name] if name in self.changed_data else KEEP for name in ("weight", "metadata")
        )
        return Change(self.row.id, self.row.created_ms, weight, metadata, frozenset({self.row.version}))


def indented(metadata: str | None) -> str:
    """JSON as people edit it: escapes stand for what they could not see."""
    if metadata is None:
        return ""
    return visible_json(orjson.dumps(orjson.loads(metadata), option=orjson.OPT_INDENT_2).decode())


def _place(loc: list[str | int]) -> str:
    return " at " + ".".join(map(str, loc)) if loc else ""
