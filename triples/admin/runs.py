"""Runs in the admin: to look at, and to start."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from triples.admin.counted_lists import CountedChangeList
from triples.admin.run_plot import plot
from triples.admin.shown import all_isolated
from triples.admission import clean_text
from triples.models import RecursionRun, Rule
from triples.runs.options import RunOptions, check_names
from triples.runs.responses import duration, public_id
from triples.runs.rounds import round_labels
from triples.runs.summaries import run_sentence
from triples.services.runs import RunActive, UnknownRules, run_start
from triples.text import TermError
from triples.visible import visible_lines

MAX_DEPTH = 1000


class RunForm(forms.Form):
    """What a run is asked to do; nothing in particular is the whole."""

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
            types = tuple(dict.fromkeys(map(clean_text, lines)))
        except TermError as error:
            raise forms.ValidationError(f"A type {error}.") from None
        return _checked(types, "The types")

    def clean_rules(self) -> tuple[str, ...]:
        return _checked(tuple(rule.name for rule in self.cleaned_data["rules"]), "The rules")

    @property
    def options(self) -> RunOptions:
        return RunOptions.of(self.cleaned_data)


@admin.register(RecursionRun)
class RecursionRunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    list_display = (
        "number",
        "state",
        "mode",
        "facts",
        "added",
        "altered",
        "removed",
        "took",
        "started",
        "requested_by",
    )
    list_filter = ("status",)
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER
    fieldsets = (
        (None, {"fields": ("state", "outcome", "error_text", "plot")}),
        ("What was asked", {"fields": ("requested_by", "asked", "run_id")}),
        ("Times (UTC)", {"fields": ("requested", "started", "finished", "took", "parts", "process")}),
    )
    readonly_fields = tuple(flatten_fieldsets(fieldsets))

    class Media:
        css = {"all": ["triples/recursion.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CountedChangeList]:
        return CountedChangeList

    def has_add_permission(self, request: HttpRequest) -> bool:
        # A run is not filled in as a row: `run_view` starts one.
        return False

    def has_change_permission(self, request: HttpRequest, obj: RecursionRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: RecursionRun | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        run_now = path("run/", self.admin_site.admin_view(self.run_view), name="triples_recursionrun_run")
        return [run_now, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "may_run": _may_run(request)})

    def run_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for the options, and starts a run."""
        if not _may_run(request):
            raise PermissionDenied
        form = RunForm(request.POST or None, label_suffix="")
        if request.method == "POST" and form.is_valid():
            return self._start(request, form.options)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Run now",
            "media": self.media,
            "form": form,
            "active": RecursionRun.objects.filter(active=True).first(),
        }
        return TemplateResponse(request, "admin/triples/recursionrun/run.html", context)

    def _start(self, request: HttpRequest, options: RunOptions) -> HttpResponse:
        try:
            run = run_start(options=options, requested_by=f"user {request.user}")
        except UnknownRules as error:
            # Somebody has disabled or deleted a rule since the form was checked.
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:triples_recursionrun_run")
        except RunActive as found:
            run = found.run
            self.message_user(request, f"Run {run.id} is active already; no other was started.", messages.WARNING)
        else:
            self.log_addition(request, run, "Started.")
            told = f"Run {run.id} is on its way. This page shows how far it was; load it again to see more."
            self.message_user(request, told, messages.SUCCESS)
        return redirect("admin:triples_recursionrun_change", run.id)

    @admin.display(description="run")
    def number(self, run: RecursionRun) -> str:
        return str(run)

    @admin.display(description="status")
    def state(self, run: RecursionRun) -> SafeString:
        return format_html('<span class="run-state run-{}">{}</span>', run.status, run.get_status_display().lower())

    @admin.display(description="changed")
    def altered(self, run: RecursionRun) -> int | None:
        return run.changed

    @admin.display(description="took")
    def took(self, run: RecursionRun) -> str:
        seconds = duration(run)
        return "-" if seconds is None else f"{seconds:,.1f} s"

    @admin.display(description="requested by")
    def asker(self, run: RecursionRun) -> str:
        return run.requested_by

    @admin.display(description="requested")
    def requested(self, run: RecursionRun) -> str:
        return _second(run.created_at)

    @admin.display(description="started")
    def started(self, run: RecursionRun) -> str:
        return _second(run.started_at)

    @admin.display(description="finished")
    def finished(self, run: RecursionRun) -> str:
        return _second(run.finished_at)

    @admin.display(description="id in the API")
    def run_id(self, run: RecursionRun) -> str:
        return public_id(run)

    @admin.display(description="outcome")
    def outcome(self, run: RecursionRun) -> str:
        return run_sentence(run)

    @admin.display(description="error")
    def error_text(self, run: RecursionRun) -> str:
        return visible_lines(run.error) or "none"

    @admin.display(description="options")
    def asked(self, run: RecursionRun) -> SafeString:
        return _pairs((name.replace("_", " "), _option(value)) for name, value in run.options.items())

    @admin.display(description="seconds")
    def parts(self, run: RecursionRun) -> SafeString:
        return _pairs((name, f"{seconds:,.2f} s") for name, seconds in run.seconds.items())

    @admin.display(description="rounds")
    def plot(self, run: RecursionRun) -> str:
        if not run.rounds:
            return "none"
        rounds = list(zip(round_labels(run.rounds), run.rounds, strict=True))
        context = {"plot": plot(run.rounds), "rounds": rounds, "run": run}
        return render_to_string("admin/triples/recursionrun/plot.html", context)


def _checked(names: tuple[str, ...], called: str) -> tuple[str, ...]:
    try:
        return check_names(names)
    except ValueError as error:
        raise forms.ValidationError(f"{called} {error}.") from None


def _may_run(request: HttpRequest) -> bool:
    return request.user.has_perm("triples.add_recursionrun")


def _second(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "-"


def _option(value: Any) -> str:
    if isinstance(value, list):
        return all_isolated(", ", *map(str, value)) or "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "no limit" if value is None else f"{value:g}"


def _pairs(pairs: Iterable[tuple[str, str]]) -> SafeString:
    listed = format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", pairs)
    return format_html('<dl class="run-pairs">{}</dl>', listed) if listed else SafeString("-")
