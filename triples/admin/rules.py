"""Rules in the admin, edited as patterns."""

from typing import Any
from unicodedata import normalize
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.defaultfilters import linebreaksbr
from django.utils.html import format_html
from django.utils.safestring import SafeString

from skg_site.admin_base.columns import column
from triples.admin.counted_lists import CountedChangeList
from triples.admin.facts import write_transaction
from triples.admin.rule_forms import EXAMPLE, PREVIEW, RuleForm
from triples.admin.rule_previews import with_preview
from triples.admin.shown import isolated, rule_html
from triples.models import Rule
from triples.runs.options import RunOptions
from triples.services.rules import RulesError, rule_change, rule_delete, rules_add, rules_enable
from triples.services.runs import RunActive, run_start
from triples.visible import visible, visible_lines

SAVE_AND_RUN = "_run"


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
        css = {"all": ["triples/recursion.css", "triples/rule_editor.css"]}
        js = [Script("triples/rule_preview.js", type="module")]

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
            return with_preview(request, super().changeform_view(request, *args, **kwargs))
        try:
            with write_transaction(request):
                response = super().changeform_view(request, *args, **kwargs)
        except RulesError as error:
            self.message_user(request, visible(str(error)), messages.ERROR)
            return redirect("admin:triples_rule_changelist")
        # The run reads the rule, so it starts when that is committed.
        saved = isinstance(response, HttpResponseRedirect)
        return self._run(request) if saved and SAVE_AND_RUN in request.POST and may_run(request) else response

    def _run(self, request: HttpRequest) -> HttpResponse:
        try:
            run = run_start(options=RunOptions(), requested_by=f"user {request.user}")
        except RunActive as found:
            run = found.run
            told = f"Run {run.id} is active already. It began without this rule; run again when it has ended."
            self.message_user(request, told, messages.WARNING)
        else:
            self.log_addition(request, run, "Started.")
            self.message_user(request, f"Run {run.id} is on its way.", messages.SUCCESS)
        return redirect("admin:triples_recursionrun_change", run.id)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context |= {"may_run": may_run(request), "example": f"?{urlencode(EXAMPLE)}"}
        return super().render_change_form(request, context, *args, **kwargs)

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

    text = column(Rule, "rule", lambda rule: rule_html(rule.parsed))

    shown_name = column(Rule, "name", lambda rule: isolated(rule.name), ordering="name")

    @admin.display(description="description")
    def shown_description(self, rule: Rule) -> SafeString:
        return format_html("<bdi>{}</bdi>", linebreaksbr(visible_lines(rule.description), autoescape=True))

    changed = column(Rule, "changed (UTC)", lambda rule: f"{rule.updated_at:%Y-%m-%d %H:%M}")


def may_run(request: HttpRequest) -> bool:
    return request.user.has_perm("triples.add_recursionrun")
