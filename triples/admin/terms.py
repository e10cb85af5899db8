"""Terms in the admin: to look up, and to find the facts they stand in."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from triples.admin.lists import BoundedChangeList
from triples.admin.searches import parse, written
from triples.admin.shown import isolated
from triples.models import Term, Triple
from triples.query.fact_lists import PLACES, REACH, Place
from triples.text import TermError


class TermList(BoundedChangeList):
    """Terms by text: all, or those that begin with what was typed."""

    def find(self) -> list[int]:
        try:
            search = parse(self.query)
        except TermError as error:
            self.fault = error
            return []
        terms = search.terms if search else Term.objects.order_by("text")
        return list(terms.values_list("pk", flat=True)[: REACH + 1])


@admin.register(Term)
class TermAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Read only: the store makes terms as facts need them."""

    list_display = ("shown_text", "facts")
    list_per_page = 50
    ordering = ("text",)
    search_fields = ("text",)
    search_help_text = 'Finds terms that begin with this text; "in double quotes", exactly this term. Capitals matter.'
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    fields = ("shown_text", "facts")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Term]:
        uses = {f"is_{place}": Exists(Triple.objects.filter(**{place: OuterRef("pk")})) for place in PLACES}
        terms: QuerySet[Term] = super().get_queryset(request).annotate(**uses)
        return terms

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[TermList]:
        return TermList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Term], search_term: str
    ) -> tuple[QuerySet[Term], bool]:
        return queryset, False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Term | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Term | None = None) -> bool:
        return False

    @admin.display(description="text")
    def shown_text(self, term: Term) -> SafeString:
        return isolated(term.text)

    @admin.display(description="stands as")
    def facts(self, term: Term) -> str:
        """Links to the facts that have the term at each place where some do."""
        places = [place for place in PLACES if getattr(term, f"is_{place}")]
        links = format_html_join(" · ", "{}", ((facts_link(place, term.text, place),) for place in places))
        return links or "nothing, any more"


def facts_link(place: Place, text: str, label: str) -> SafeString:
    """A link to the facts that have exactly this term at the place."""
    query = urlencode({SEARCH_VAR: written(place, text)})
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:triples_triple_changelist"), query, label)
