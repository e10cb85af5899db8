"""Keys and their events in the admin. A new key is shown once, on the page that follows its creation."""

from datetime import datetime
from typing import Any
from unicodedata import normalize

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from apikeys.forms import GraceForm, IssueForm, KeyForm, RevokeForm
from apikeys.lineages import revoke, working_in_lineage
from apikeys.models import ApiKey, KeyEvent, State
from apikeys.scopes import Scope
from apikeys.services import IssuedKey, NotRotatable, key_change, key_issue, key_rotate
from skg_site.admin_base.columns import column
from skg_site.admin_base.pages import PagesAdmin, ReadOnlyAdmin

WORKING = {State.ACTIVE, State.ROTATING}


_BADGE = '<span class="key-state key-state-{}">{}</span>'


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, state.value) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        chosen = self.value()
        if chosen not in State.values:
            return queryset
        return queryset & ApiKey.objects.in_state(State(chosen), timezone.now())


class ScopeFilter(admin.SimpleListFilter):
    title = "scope"
    parameter_name = "scope"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(scope.value, scope.value) for scope in Scope]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        # No name of a scope is a part of another.
        chosen = self.value()
        return queryset.filter(scopes__contains=chosen) if chosen and chosen in set(Scope) else queryset


class TimeFilter(admin.DateFieldListFilter):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = "time"


class EventColumns:
    """Columns of events, on the page of a key and in the list of all events."""

    time = column(KeyEvent, "at", lambda event: f"{event.at:%Y-%m-%d %H:%M:%S}", ordering="at")

    @admin.display(description="detail")
    def told(self, event: KeyEvent) -> str:
        changes = event.detail.get("changes", {})
        parts = [f"{field}: {before or 'none'} → {after or 'none'}" for field, (before, after) in changes.items()]
        parts += [f"{name.replace('_', ' ')}: {value}" for name, value in event.detail.items() if name != "changes"]
        return "; ".join(parts) or "-"


class EventInline(EventColumns, admin.TabularInline):  # type: ignore[type-arg]  # generic in its stubs only
    model = KeyEvent
    fields = readonly_fields = ("time", "kind", "actor", "told")
    ordering = ("-id",)
    extra = 0
    can_delete = False
    verbose_name_plural = "what happened to it"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(PagesAdmin):
    list_display = ("name", "key_id", "state_badge", "scopes", "rate", "last_used", "expires")
    list_filter = (StateFilter, ScopeFilter, "environment")
    list_select_related = ("successor",)
    list_per_page = 50
    search_fields = ("name", "public_id")
    search_help_text = "By name or by id."
    ordering = ("-id",)
    inlines = (EventInline,)

    class Media:
        css = {"all": ["apikeys/keys.css"]}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ApiKey], search_term: str
    ) -> tuple[QuerySet[ApiKey], bool]:
        """Search for the text in NFC, as names are stored."""
        return super().get_search_results(request, queryset, normalize("NFC", search_term))

    key_id = column(ApiKey, "id", lambda key: format_html("<code>{}</code>", key.public_id), ordering="public_id")
    state_badge = column(ApiKey, "state", lambda key: format_html(_BADGE, key.state.value, key.state.value))
    last_used = column(ApiKey, "last used", lambda key: _minute(key.last_used_at), ordering="last_used_at")
    expires = column(ApiKey, "expires", lambda key: _minute(key.expires_at), ordering="expires_at")
    created = column(ApiKey, "created", lambda key: _minute(key.created_at))
    revoked = column(ApiKey, "revoked", lambda key: _minute(key.revoked_at))
    successor_link = column(ApiKey, "replaced by", lambda key: _link(key.successor_or_none))
    predecessor_link = column(ApiKey, "replaces", lambda key: _link(key.rotated_from))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=KeyForm if change else IssueForm, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        limits = ("Limits", {"fields": ("rate", "allowed_networks")})
        if obj is None:
            return [(None, {"fields": ("name", "scopes", "expires_at")}), limits]
        return [
            (None, {"fields": ("name", "key_id", "state_badge", "scopes", "environment", "origin")}),
            limits,
            ("Times", {"fields": ("created", "last_used", "expires", "revoked")}),
            ("Rotation", {"fields": ("predecessor_link", "successor_link")}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        shown = [field for _, options in self.get_fieldsets(request, obj) for field in options["fields"]]
        return [field for field in shown if field not in KeyForm.Meta.fields]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.state in WORKING)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Keys are revoked and never deleted: the audit trail needs the row and its events.
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:key>/rotate/", view(self.rotate_view), name="apikeys_apikey_rotate"),
            path("<int:key>/revoke/", view(self.revoke_view), name="apikeys_apikey_revoke"),
            *super().get_urls(),
        ]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        shown = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        key: ApiKey | None = kwargs.get("obj")
        context["can_revoke"] = key is not None and self.has_change_permission(request, key)
        context["can_rotate"] = key is not None and self._may_rotate(request, key)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            fields = {field: form.cleaned_data[field] for field in KeyForm.Meta.fields}
            key_change(key=obj, actor=_actor(request), **fields)
            return
        issued = key_issue(actor=_actor(request), **form.cleaned_data | {"scopes": form.cleaned_data["scopes"].split()})
        obj.pk = issued.key.pk
        obj.refresh_from_db()
        request.issued = issued  # type: ignore[attr-defined]  # for response_add; gone with the request

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        issued: IssuedKey = request.issued  # type: ignore[attr-defined]  # save_model has put it there
        return self._show_once(request, issued)

    def rotate_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask for the grace period, then show the new key."""
        old = self._find(request, key)
        if not self._may_rotate(request, old):
            raise PermissionDenied
        form = GraceForm(request.POST or None, label_suffix="")
        if not (request.method == "POST" and form.is_valid()):
            return self.own_page(request, "rotate", f"Rotate {old}", key=old, form=form)
        try:
            issued = key_rotate(key=old, actor=_actor(request), grace=form.chosen)
        except NotRotatable as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:apikeys_apikey_change", old.pk)
        self.log_change(request, old, f"Rotated; replaced by {issued.key.public_id}.")
        return self._show_once(request, issued)

    def revoke_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask for confirmation, then revoke."""
        found = self._find(request, key)
        if not self.has_change_permission(request, found):
            raise PermissionDenied
        if request.method != "POST":
            others = [key for key in working_in_lineage(found) if key != found]
            return self.own_page(request, "revoke", f"Revoke {found}", key=found, form=RevokeForm(), others=others)
        form = RevokeForm(request.POST)
        revocation = revoke(key=found, actor=_actor(request), lineage=form.is_valid() and form.cleaned_data["lineage"])
        for ended in (found, *revocation.also_revoked):
            self.log_change(request, ended, "Revoked.")
        self.message_user(request, f"The key {found} is revoked; within a second no worker takes it.", messages.SUCCESS)
        for sentence in list(revocation.sentences)[1:]:
            self.message_user(request, sentence, messages.WARNING)
        return redirect("admin:apikeys_apikey_change", found.pk)

    def _find(self, request: HttpRequest, key: int) -> ApiKey:
        found: ApiKey | None = self.get_queryset(request).select_related("successor").filter(pk=key).first()
        if found is None:
            raise Http404(f"no key {key}")
        return found

    def _may_rotate(self, request: HttpRequest, key: ApiKey) -> bool:
        allowed = self.has_add_permission(request) and super().has_change_permission(request, key)
        return allowed and key.state == State.ACTIVE

    def _show_once(self, request: HttpRequest, issued: IssuedKey) -> HttpResponse:
        return self.own_page(request, "issued", "The new key", key=issued.key, clear_text=issued.clear_text)


@admin.register(KeyEvent)
class KeyEventAdmin(EventColumns, ReadOnlyAdmin):
    list_display = ("time", "kind", "key", "actor", "told")
    list_filter = ("kind", ("at", TimeFilter))
    list_select_related = ("key",)
    list_per_page = 50
    date_hierarchy = "at"
    search_fields = ("key__name", "key__public_id", "actor")
    search_help_text = "By the key's name or id, or by who did it."
    ordering = ("-id",)
    fields = readonly_fields = ("time", "kind", "key", "actor", "told")

    class Media:
        css = {"all": ["apikeys/keys.css"]}


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "never"


def _link(key: ApiKey | None) -> str:
    if key is None:
        return "-"
    return format_html('<a href="{}">{}</a>', reverse("admin:apikeys_apikey_change", args=[key.pk]), key)


def _actor(request: HttpRequest) -> str:
    return f"user {request.user}"
