"""The forms of files: one that comes in, and one that goes out."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from pydantic import ValidationError

from triples.exchange.facts import Scale
from triples.exchange.formats.media_types import MEDIA_TYPES
from triples.exchange.tables import parse_columns
from triples.fact_validation import asked_predicate, asked_text
from triples.files.parameters import ExportParameters, ImportParameters

_FORMATS = [(name, name) for name in MEDIA_TYPES]
_COMPRESSIONS = [("none", "not at all"), ("gzip", "gzip"), ("xz", "xz"), ("zstd", "zstd"), ("zip", "zip")]


def _checked(parse: Callable[[str], Any], text: str) -> str:
    try:
        parse(text)
    except ValueError as error:
        raise forms.ValidationError(f"It {error}.") from None
    return text


class _ParametersForm(forms.Form):
    """A form that refuses what a request with the same parameters would be refused for."""

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            try:
                self.parameters = self.read()
            except ValidationError as error:
                for fault in error.errors():
                    self.add_error(str(fault["loc"][0]), f"{fault['msg']}.")
        return self.cleaned_data

    def read(self) -> Any:
        """The parameters. Raises ValidationError of Pydantic."""
        raise NotImplementedError


class ImportForm(_ParametersForm):
    parameters: ImportParameters

    file = forms.FileField(
        help_text=f"Plain, gzip, xz, zstd or zip, up to {settings.ENV.import_disk:,} MiB (SKG_IMPORT_DISK)."
    )
    format = forms.ChoiceField(
        required=False,
        choices=[("", "as its name or its content shows"), *_FORMATS],
        help_text="Tables may have columns of any names, if you say below which holds what.",
    )
    on_duplicate = forms.ChoiceField(
        label="A fact that is there",
        choices=[("keep", "stays as it is"), ("replace", "gets the new weight and metadata")],
    )
    columns = forms.CharField(
        required=False, help_text="Such as subject=source,predicate=relation,object=target; other columns are metadata."
    )
    ignore = forms.CharField(required=False, help_text="Columns to leave out, separated by commas; * for all others.")
    wide = forms.BooleanField(required=False, help_text="Each other column is a predicate, and its cells are objects.")
    scale_weights = forms.CharField(
        required=False, help_text="Bring weights of this range to 0 to 1, such as 0:10; empty: they are from 0 to 1."
    )
    strict = forms.BooleanField(required=False, help_text="Stop at the first line that is refused.")

    def clean_columns(self) -> str:
        return self.cleaned_data["columns"] and _checked(parse_columns, self.cleaned_data["columns"])

    def clean_scale_weights(self) -> str:
        text: str = self.cleaned_data["scale_weights"]
        try:
            return text and _checked(Scale.parse, text)
        except forms.ValidationError:
            raise forms.ValidationError("It must be two different numbers, such as 0:10.") from None

    def read(self) -> ImportParameters:
        return ImportParameters(
            **{name: value for name, value in self.cleaned_data.items() if value and name != "file"}
        )


class ExportForm(_ParametersForm):
    parameters: ExportParameters

    format = forms.ChoiceField(choices=_FORMATS, initial="tsv")
    compress = forms.ChoiceField(label="Compressed", choices=_COMPRESSIONS)
    subject = forms.CharField(required=False, help_text="Only facts with this subject.")
    predicate = forms.CharField(required=False, help_text="Only facts with this predicate.")
    object = forms.CharField(required=False, help_text="Only facts with this object.")
    min_weight = forms.FloatField(
        label="Least weight",
        required=False,
        min_value=0,
        max_value=1,
        initial=0,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    inferred = forms.ChoiceField(
        label="Inferred facts", choices=[("without", "left out"), ("with", "with the others"), ("only", "nothing else")]
    )

    def clean_subject(self) -> str:
        return self.cleaned_data["subject"] and _checked(asked_text, self.cleaned_data["subject"])

    def clean_predicate(self) -> str:
        return self.cleaned_data["predicate"] and _checked(asked_predicate, self.cleaned_data["predicate"])

    def clean_object(self) -> str:
        return self.cleaned_data["object"] and _checked(asked_text, self.cleaned_data["object"])

    def read(self) -> ExportParameters:
        found = {name: value for name, value in self.cleaned_data.items() if value not in {"", None, 0}}
        return ExportParameters(**found)
