"""The base of the pages of runs and of imports, whose rows are written by the processes that do them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.forms import Script
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from skg_site.admin_base.pages import ReadOnlyAdmin
from triples.admin.counted_lists import CountedChangeList


class ProcessRowAdmin(ReadOnlyAdmin):
    """Rows with a status and times. Views of their own start the processes."""

    list_filter = ("status",)
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER

    class Media:
        css = {"all": ["triples/recursion.css"]}
        js = [Script("triples/live.js", type="module")]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CountedChangeList]:
        return CountedChangeList

    @admin.display(description="status")
    def state(self, run: Any) -> SafeString:
        return format_html('<span class="run-state run-{}">{}</span>', run.status, run.get_status_display().lower())

    @admin.display(description="finished")
    def finished(self, run: Any) -> str:
        return second(run.finished_at)


def second(at: Any) -> str:
    """A time to the second; a dash for None."""
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "-"


def pairs(named: Iterable[tuple[str, str]], *, none: str = "-") -> SafeString:
    """Names and values as HTML; `none` if there are none."""
    listed = format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", named)
    return format_html('<dl class="run-pairs">{}</dl>', listed) if listed else SafeString(none)
