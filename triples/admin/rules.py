"""Rules in the admin, edited as patterns."""

from typing import Any
from unicodedata import normalize

from django.contrib import admin, messages
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import linebreaksbr
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from triples.admin.counted_lists import CountedChangeList
from triples.admin.facts import write_transaction
from triples.admin.rule_forms import PREVIEW, RuleForm
from triples.admin.shown import isolated, rule_html
from triples.models import Rule
from triples.runs.previews import NoPreview, preview
from triples.services.rules import RulesError, rule_change, rule_delete, rules_add, rules_enable
from triples.store.backend import backend
from triples.visible import visible, visible_lines


@admin.register(Rule)
class RuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    list_display = ("shown_name", "text", "weight", "enabled")
    list_filter = ("enabled",)
    list_per_page = 50
    ordering = ("name",)
    search_fields = ("name", "description")
    search_help_text = "By name or description."
    show_facets = admin.ShowFacets.NEVER
    actions = ("enable", "disable")
    form = RuleForm
    readonly_fields = ("changed",)

    class Media:
        css = {"all": ["triples/recursion.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CountedChangeList]:
        return CountedChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Rule], search_term: str
    ) -> tuple[QuerySet[Rule], bool]:
        """In the form in which names are kept."""
        return super().get_search_results(request, queryset, normalize("NFC", search_term))

    def get_fieldsets(self, request: HttpRequest, obj: Rule | None = None) -> Any:
        rule = ("body", "head", "distinct", "weight")
        if obj is None:
            return [(None, {"fields": ("name", *rule, "description", "enabled")})]
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": ("text", "shown_description", "enabled", "changed")})]
        return [
            (None, {"fields": (*rule, "description", "enabled", "version")}),
            ("Record", {"fields": ("changed",)}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Rule | None = None) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            return self.readonly_fields
        return ("text", "shown_description", "enabled", "changed")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if PREVIEW in request.POST:
            return _with_preview(request, super().changeform_view(request, *args, **kwargs))
        try:
            with write_transaction(request):
                return super().changeform_view(request, *args, **kwargs)
        except RulesError as error:
            self.message_user(request, visible(str(error)), messages.ERROR)
            return redirect("admin:triples_rule_changelist")

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        draft = form.draft
        if change:
            rule_change(name=obj.name, members=draft.columns)
            return
        [stored] = rules_add(drafts=[draft])
        obj.pk, obj.name = stored.pk, stored.name

    def delete_model(self, request: HttpRequest, obj: Rule) -> None:
        rule_delete(name=obj.name)

    @admin.action(description="Enable selected rules", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        self._set_enabled(request, queryset, enabled=True)

    @admin.action(description="Disable selected rules", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        self._set_enabled(request, queryset, enabled=False)

    def _set_enabled(self, request: HttpRequest, queryset: QuerySet[Rule], *, enabled: bool) -> None:
        changed = list(queryset.filter(enabled=not enabled))
        rules_enable(names=[rule.name for rule in changed], enabled=enabled)
        word = "Enabled" if enabled else "Disabled"
        for rule in changed:
            self.log_change(request, rule, f"{word}.")
        count = "1 rule" if len(changed) == 1 else f"{len(changed):,} rules"
        self.message_user(request, f"{word} {count}. This holds from the next run on.", messages.SUCCESS)

    @admin.display(description="rule")
    def text(self, rule: Rule) -> SafeString:
        return rule_html(rule.parsed)

    @admin.display(description="name", ordering="name")
    def shown_name(self, rule: Rule) -> SafeString:
        return isolated(rule.name)

    @admin.display(description="description")
    def shown_description(self, rule: Rule) -> SafeString:
        return format_html("<bdi>{}</bdi>", linebreaksbr(visible_lines(rule.description), autoescape=True))

    @admin.display(description="changed (UTC)")
    def changed(self, rule: Rule) -> str:
        return f"{rule.updated_at:%Y-%m-%d %H:%M}"


def _with_preview(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The form as it was read and checked, and what its rule would derive.

    That is worked out here, when the transaction in which Django reads a form has ended: on SQLite nobody else could
    write meanwhile.
    """
    if not isinstance(response, TemplateResponse) or response.context_data is None:
        return response
    form = response.context_data["adminform"].form
    if isinstance(form, RuleForm) and not form.errors:
        response.context_data |= _previewed(request, form)
    return response


def _previewed(request: HttpRequest, form: RuleForm) -> dict[str, Any]:
    """What the template shows of the rule that is in the form."""
    departed = getattr(request, "departed", None)
    if backend().pools_connections:
        # To the pool, for others meanwhile.
        connection.close()
    told: dict[str, Any] = {"previewed_text": rule_html(form.draft.rule)}
    try:
        found = preview(form.draft.rule, asker=f"user-{request.user.pk}", departed=departed or (lambda: False))
    except NoPreview as none:
        return told | {"no_preview": str(none)}
    return told | {"preview": found}
