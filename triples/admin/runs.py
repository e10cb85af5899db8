"""Runs in the admin: to look at, to start and to cancel."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from skg_site.admin_base.columns import column
from triples.admin.plots import Axis, Plot, Series, bars
from triples.admin.process_rows import ProcessRowAdmin, pairs, second
from triples.admin.run_forms import RunForm
from triples.admin.shown import all_isolated
from triples.models import RecursionRun
from triples.runs.options import RunOptions
from triples.runs.responses import duration, public_id
from triples.runs.rounds import round_labels
from triples.runs.summaries import run_sentence
from triples.services.runs import RunActive, RunEnded, UnknownRules, run_cancel, run_start
from triples.visible import visible_lines


@admin.register(RecursionRun)
class RecursionRunAdmin(ProcessRowAdmin):
    list_display = (
        "number",
        "state",
        "mode",
        "inferred",
        "new",
        "altered",
        "gone",
        "took",
        "started",
        "requested_by",
    )
    fieldsets = (
        (None, {"fields": ("state", "outcome", "error_text", "plot")}),
        ("What was asked", {"fields": ("requested_by", "asked", "run_id")}),
        ("Times (UTC)", {"fields": ("requested", "started", "finished", "took", "parts", "process")}),
    )
    readonly_fields = tuple(flatten_fieldsets(fieldsets))

    class Media:
        css = {"all": ["triples/plots.css"]}

    def get_urls(self) -> list[URLPattern]:
        run_now = path("run/", self.admin_site.admin_view(self.run_view), name="triples_recursionrun_run")
        cancel = path(
            "<int:run_id>/cancel/", self.admin_site.admin_view(self.cancel_view), name="triples_recursionrun_cancel"
        )
        return [run_now, cancel, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        newest = RecursionRun.objects.first()
        context = {"may_run": _may_run(request), "newest": newest, "told": newest and run_sentence(newest)}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Django's titles are "View recursion run", and below it the run.
        context = {"title": f"Run {object_id}", "subtitle": None, "may_run": _may_run(request)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def run_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for the options, and starts a run."""
        if not _may_run(request):
            raise PermissionDenied
        form = RunForm(request.POST or None, label_suffix="")
        if request.method == "POST" and form.is_valid():
            return self._start(request, form.options)
        active = RecursionRun.objects.filter(active=True).first()
        return self.own_page(request, "run", "Run now", form=form, active=active)

    def cancel_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Asks whether to cancel a run, and does."""
        if not _may_run(request):
            raise PermissionDenied
        run = get_object_or_404(RecursionRun, pk=run_id)
        if request.method == "POST" or run.active is None:
            self._cancel(request, run)
            return redirect("admin:triples_recursionrun_change", run.id)
        return self.own_page(request, "cancel", f"Cancel run {run.id}", run=run, told=run_sentence(run))

    def _cancel(self, request: HttpRequest, run: RecursionRun) -> None:
        try:
            told = run_sentence(run_cancel(run_id=run.id, requested_by=f"user {request.user}"))
        except RunEnded:
            self.message_user(request, f"Run {run.id} has ended already.", messages.WARNING)
        else:
            self.log_change(request, run, "Cancelled.")
            self.message_user(request, told, messages.SUCCESS)

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
            told = f"Run {run.id} is on its way. This page follows it."
            self.message_user(request, told, messages.SUCCESS)
        return redirect("admin:triples_recursionrun_change", run.id)

    number = column(RecursionRun, "run", str)
    inferred = column(RecursionRun, "facts", lambda run: _number(run.facts))
    new = column(RecursionRun, "added", lambda run: _number(run.added))
    altered = column(RecursionRun, "changed", lambda run: _number(run.changed))
    gone = column(RecursionRun, "removed", lambda run: _number(run.removed))

    @admin.display(description="took")
    def took(self, run: RecursionRun) -> str:
        seconds = duration(run)
        return "-" if seconds is None else f"{seconds:,.1f} s"

    requested = column(RecursionRun, "requested", lambda run: second(run.created_at))
    started = column(RecursionRun, "started", lambda run: second(run.started_at))
    run_id = column(RecursionRun, "id in the API", public_id)
    outcome = column(RecursionRun, "outcome", run_sentence)
    error_text = column(RecursionRun, "error", lambda run: visible_lines(run.error) or "none")

    @admin.display(description="options")
    def asked(self, run: RecursionRun) -> SafeString:
        return pairs((name.replace("_", " "), _option(value)) for name, value in run.options.items())

    @admin.display(description="seconds")
    def parts(self, run: RecursionRun) -> SafeString:
        return pairs((name, f"{seconds:,.2f} s") for name, seconds in run.seconds.items())

    @admin.display(description="rounds")
    def plot(self, run: RecursionRun) -> str:
        if not run.rounds:
            return "none"
        return render_to_string("admin/plot.html", {"plot": rounds_plot(run.rounds)})


def rounds_plot(rounds: list[dict[str, Any]]) -> Plot:
    """The new and improved facts of each round, as a run's row has them."""
    series = [
        Series("new facts", "first", [made["new"] for made in rounds]),
        Series("facts with a heavier proof", "second", [made["improved"] for made in rounds]),
    ]
    axis = Axis("Round", round_labels(rounds))
    return bars("New and improved facts of each round", axis, series, "{:,}".format)


def _number(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _may_run(request: HttpRequest) -> bool:
    return request.user.has_perm("triples.add_recursionrun")


def _option(value: Any) -> str:
    if isinstance(value, list):
        return all_isolated(", ", *map(str, value)) or "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "no limit" if value is None else f"{value:g}"
