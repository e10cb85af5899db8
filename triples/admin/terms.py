"""Terms in the admin: to look up, and to find the facts they stand in."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from skg_site.admin_base.columns import column
from skg_site.admin_base.pages import ReadOnlyAdmin
from triples.admin.links import term_url
from triples.admin.lists import BoundedChangeList
from triples.admin.profiles import profile_context
from triples.admin.searches import parse, written
from triples.admin.shown import isolated
from triples.admin.term_lookups import best_terms, completions
from triples.models import Term, Triple
from triples.query.fact_lists import PLACES, REACH, Place
from triples.term_keys import TermKey
from triples.text import TermError


class TermList(BoundedChangeList):
    """All terms by text; or those that match what was typed, the best first, and then all that begin with it."""

    def find(self) -> list[int]:
        try:
            search = parse(self.query)
        except TermError as error:
            self.fault = error
            return []
        terms = search.terms if search else Term.objects.order_by(TermKey("text"))
        found = list(terms.values_list("pk", flat=True)[: REACH + 1])
        if search is None or search.exact:
            return found
        return list(dict.fromkeys([*(best.hit.id for best in best_terms(search.text)), *found]))[: REACH + 1]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        places = {id_: place for place, id_ in enumerate(self.paginator.object_list)}
        # Not by the database, which knows nothing of how well they match.
        self.result_list = sorted(self.result_list, key=lambda term: places[term.pk])


@admin.register(Term)
class TermAdmin(ReadOnlyAdmin):
    """Read only: the store makes terms as facts need them."""

    list_display = ("shown_text", "facts")
    list_per_page = 50
    ordering = ("text",)
    search_fields = ("text",)
    search_help_text = (
        'Finds terms by a part of their name, and in spite of typos; "in double quotes", exactly this term.'
    )
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    class Media:
        css = {"all": ["triples/profile.css"]}

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

    def get_urls(self) -> list[URLPattern]:
        complete = path("complete/", self.admin_site.admin_view(self.complete_view), name="triples_term_complete")
        return [complete, *super().get_urls()]

    def complete_view(self, request: HttpRequest) -> JsonResponse:
        """Existing terms for what was typed into an input, best first, as JSON."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return JsonResponse({"terms": completions(request.GET.get("q", ""), request.GET.get("place"))})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The term's profile. There is nothing to change."""
        if request.method == "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        term = self.get_object(request, object_id)
        if term is None:
            # It says so, and leads to the list.
            return super().change_view(request, object_id, form_url, extra_context)
        profile = profile_context(request, term) if request.user.has_perm("triples.view_triple") else {}
        return self.own_page(request, "profile", str(term), term=term, text=str(term.text), **profile)

    shown_text = column(Term, "text", lambda term: isolated(term.text))

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


def term_link(term: Term) -> SafeString:
    """A link to the page of the term."""
    return format_html('<a href="{}">{}</a>', term_url(term.pk), isolated(term.text))
