"""Imports in the admin: files that come in, what became of them, and their undo; and files that go out."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from skg_site.admin_base.columns import column
from triples.admin.downloads import Download, beginning
from triples.admin.import_forms import ExportForm, ImportForm
from triples.admin.process_rows import ProcessRowAdmin, pairs, second
from triples.admin.shown import isolated
from triples.files.responses import public_id
from triples.files.uploads import import_upload
from triples.import_runs import ImportRun, ImportStatus
from triples.services.imports import import_undo_start, imports_close_dead
from triples.visible import visible

_UNDER_WAY = {ImportStatus.RUNNING, ImportStatus.UNDOING}


@admin.register(ImportRun)
class ImportRunAdmin(ProcessRowAdmin):
    list_display = ("number", "state", "shown_source", "brought", "left_out", "begun", "requested_by")
    fieldsets = (
        (None, {"fields": ("state", "shown_source", "counts", "error_text", "lines")}),
        ("What was asked", {"fields": ("requested_by", "format", "asked", "import_id")}),
        ("Times (UTC)", {"fields": ("begun", "touched", "finished")}),
    )
    readonly_fields = tuple(flatten_fieldsets(fieldsets))

    class Media:
        css = {"all": ["triples/imports.css"]}

    # Who may see facts may see where they come from; the import itself and its undo are as adding and deleting them.

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _may(request, "view")

    def has_view_permission(self, request: HttpRequest, obj: ImportRun | None = None) -> bool:
        return _may(request, "view")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_view), name="triples_importrun_import"),
            path("export/", beginning(view(self.export_view)), name="triples_importrun_export"),
            path("<int:run_id>/undo/", view(self.undo_view), name="triples_importrun_undo"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        imports_close_dead(runs=ImportRun.objects.filter(status=ImportStatus.RUNNING))
        newest = ImportRun.objects.first()
        context = {"newest": newest, "lives": _lives(newest), "may_import": _may(request, "add")}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        run = ImportRun.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        imports_close_dead(runs=[] if run is None else [run])
        may_undo = _may(request, "delete") and run is not None and run.status != ImportStatus.UNDONE
        context = {"title": f"Import {object_id}", "subtitle": None, "lives": _lives(run), "may_undo": may_undo}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for a file, and imports it in a process of its own."""
        if not _may(request, "add"):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None, label_suffix="")
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            run = import_upload(visible(file.name), file.chunks(), form.parameters.given, f"user {request.user}")
            self.log_addition(request, run, "Imported.")
            return redirect("admin:triples_importrun_change", run.id)
        return self.own_page(request, "import", "Import a file", form=form)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Asks which facts, and sends them as a file."""
        if not _may(request, "view"):
            raise PermissionDenied
        form = ExportForm(request.GET if "format" in request.GET else None, label_suffix="")
        if form.is_bound and form.is_valid():
            if form.parameters.inferred != "without" and not request.user.has_perm("triples.view_inferredtriple"):
                raise PermissionDenied
            return Download(request, form.parameters)
        return self.own_page(request, "export", "Export facts", form=form)

    def undo_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Asks whether to delete what an import brought, and does."""
        if not _may(request, "delete"):
            raise PermissionDenied
        run = get_object_or_404(ImportRun, pk=run_id)
        if request.method == "POST":
            run = import_undo_start(run_id=run.id)
            self.log_change(request, run, "Undone.")
            self.message_user(request, f"Import {run.id} is being undone. This page follows it.", messages.SUCCESS)
            return redirect("admin:triples_importrun_change", run.id)
        return self.own_page(request, "undo", f"Undo import {run.id}", run=run)

    number = column(ImportRun, "import", lambda run: f"import {run.pk}")
    shown_source = column(ImportRun, "file", lambda run: isolated(run.source))
    brought = column(ImportRun, "inserted", lambda run: f"{run.inserted:,}")
    left_out = column(ImportRun, "refused", lambda run: f"{run.refused:,}")
    begun = column(ImportRun, "began", lambda run: second(run.created_at))
    touched = column(ImportRun, "last stored something", lambda run: second(run.touched_at))
    import_id = column(ImportRun, "id in the API", public_id)
    error_text = column(ImportRun, "error", lambda run: visible(run.error) or "none")

    @admin.display(description="options")
    def asked(self, run: ImportRun) -> SafeString:
        options = ((name.replace("_", " "), isolated(str(value))) for name, value in run.options.items())
        return pairs(options, none="none")

    @admin.display(description="facts")
    def counts(self, run: ImportRun) -> SafeString:
        names = ("read", "inserted", "updated", "duplicates", "refused", *(["undone"] if run.undone else ()))
        return pairs((name, f"{getattr(run, name):,}") for name in names)

    @admin.display(description="first refused lines")
    def lines(self, run: ImportRun) -> SafeString:
        listed = format_html_join("", "<li>{}</li>", ((isolated(line),) for line in run.first_refused))
        return format_html('<ol class="refused-lines">{}</ol>', listed) if listed else SafeString("none")


def _may(request: HttpRequest, what: str) -> bool:
    return request.user.has_perm(f"triples.{what}_triple")


def _lives(run: ImportRun | None) -> bool:
    return run is not None and run.status in _UNDER_WAY
