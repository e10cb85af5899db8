"""Forms of the admin for keys."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from apikeys.cleaning import clean_name, clean_networks, clean_rate
from apikeys.models import ApiKey
from apikeys.scopes import Scope, scope_text


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    """The members of a key that can change while it is in use."""

    class Meta:
        model = ApiKey
        fields = ("name", "rate", "allowed_networks")
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "allowed_networks": forms.Textarea({"rows": 2, "cols": 60}),
            "name": forms.TextInput({"size": 40}),
        }

    def clean_name(self) -> str:
        return _cleaned(clean_name, self.cleaned_data["name"])

    def clean_rate(self) -> str:
        return _cleaned(clean_rate, self.cleaned_data["rate"])

    def clean_allowed_networks(self) -> str:
        return _cleaned(clean_networks, self.cleaned_data["allowed_networks"])


class IssueForm(KeyForm):
    """A new key."""

    scopes = forms.MultipleChoiceField(
        choices=[
            (Scope.READ, "read: query and list facts"),
            (Scope.WRITE, "write: add, change and delete facts"),
            (Scope.RECURSE, "recurse: change rules and derive facts"),
            (Scope.ADMIN, "admin: manage keys"),
        ],
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.READ],
    )

    class Meta(KeyForm.Meta):
        fields = ("name", "scopes", "expires_at", "rate", "allowed_networks")  # type: ignore[assignment]  # more fields

    def clean_scopes(self) -> str:
        return scope_text(self.cleaned_data["scopes"])

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise ValidationError("The expiry must lie in the future.")
        return expires_at


class RevokeForm(forms.Form):
    """The keys to revoke."""

    lineage = forms.BooleanField(
        required=False, label="End every other key of its row of rotations too: it was in wrong hands"
    )


class GraceForm(forms.Form):
    """The grace period of a rotated key."""

    grace = forms.TypedChoiceField(
        label="The old key goes on working for",
        choices=[
            ("0", "no longer: it ends now"),
            ("1", "1 hour"),
            ("24", "1 day"),
            ("168", "7 days"),
            ("720", "30 days"),
        ],
        coerce=lambda hours: timedelta(hours=int(hours)),
        initial="24",
    )

    @property
    def chosen(self) -> timedelta:
        grace: timedelta = self.cleaned_data["grace"]
        return grace


def _cleaned(clean: Callable[[str], str], text: str) -> str:
    try:
        return clean(text)
    except ValueError as error:
        message = str(error)
        raise ValidationError(f"{message[0].upper()}{message[1:]}.") from None
