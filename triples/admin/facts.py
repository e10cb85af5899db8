"""Facts in the admin. What it changes goes through the store, like every other write."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import orjson
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import truncatechars
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from skg_site.admin_base.columns import column
from skg_site.admin_base.pages import PagesAdmin
from skg_site.host.write_lock import write_lock
from triples import ids
from triples.admin.ask import AskForm, answered
from triples.admin.fact_list import FactList
from triples.admin.filters import MetadataFilter, PredicateFilter, SourceFilter, WeightFilter
from triples.admin.forms import NewFactForm, StoredFactForm
from triples.admin.shown import all_isolated, isolated
from triples.admin.term_inputs import SCRIPT
from triples.admin.terms import facts_link, term_link
from triples.fields import to_milliseconds
from triples.metrics import added_by
from triples.models import Source, Term, Triple
from triples.query.fact_lists import PLACES, Place
from triples.store.group_commit import write_now
from triples.store.operations import Remove, Row, Stored
from triples.visible import visible_json


class FactStands(Exception):
    """The fact that was to be added is there already."""

    def __init__(self, row: Row) -> None:
        super().__init__(row)
        self.row = row
        self.text = all_isolated(" ", row.subject, row.predicate, row.object)


@contextmanager
def write_transaction(request: HttpRequest) -> Iterator[None]:
    """The write lock, and one transaction for the fact and its log entry; nothing for a request that only reads."""
    if request.method != "POST":
        yield
        return
    with write_lock(), transaction.atomic():
        yield


@admin.register(Triple)
class TripleAdmin(PagesAdmin):
    list_display = ("page", *(f"linked_{place}" for place in PLACES), "weight", "short_metadata", "source", "added")
    list_filter = (WeightFilter, PredicateFilter, SourceFilter, MetadataFilter)
    list_per_page = 50
    ordering = ("-id",)
    search_fields = tuple(f"{place}__text" for place in PLACES)
    search_help_text = (
        'Finds facts with a term that begins with this text; "in double quotes", that is exactly this term. Put'
        " s: p: or o: before it to look at subjects, predicates or objects only. Capitals matter. An id of the API"
        " finds its fact."
    )
    empty_value_display = ""
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ("weight",)

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["triples/terms.css"]}
        js: ClassVar[list[Any]] = [SCRIPT]

    readonly_fields = ("subject_facts", "predicate_facts", "object_facts", "public_id", "source", "added", "changed")

    def get_urls(self) -> list[URLPattern]:
        ask = path("ask/", self.admin_site.admin_view(self.ask_view), name="triples_triple_ask")
        return [ask, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Triple]:
        return super().get_queryset(request).select_related(*PLACES)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[FactList]:
        return FactList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Triple], search_term: str
    ) -> tuple[QuerySet[Triple], bool]:
        """The queryset as it is: `FactList` does the search."""
        return queryset, False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what the filters ask for: any other column would be looked for in the whole table."""
        return lookup in {spec.parameter_name for spec in self.list_filter}

    def get_fieldsets(self, request: HttpRequest, obj: Triple | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": (*PLACES, "weight", "metadata")})]
        editable = (
            ("weight", "metadata", "version") if self.has_change_permission(request, obj) else ("weight", "metadata")
        )
        return [
            ("Fact", {"fields": ("subject_facts", "predicate_facts", "object_facts")}),
            ("Weight and metadata", {"fields": editable}),
            ("Record", {"fields": ("public_id", "source", "added", "changed")}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Triple | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_form(
        self, request: HttpRequest, obj: Triple | None = None, change: bool = False, **kwargs: Any
    ) -> "type[ModelForm[Triple]]":
        return super().get_form(request, obj, change, form=StoredFactForm if change else NewFactForm, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            with write_transaction(request):
                return super().changeform_view(request, *args, **kwargs)
        except FactStands as found:
            message = "“{}” was there already, with the weight {}. Nothing was changed."
            self.message_user(request, format_html(message, found.text, found.row.weight), messages.WARNING)
            return HttpResponseRedirect(reverse("admin:triples_triple_change", args=[found.row.id]))

    def ask_view(self, request: HttpRequest) -> HttpResponse:
        """Questions of several patterns. All that is asked stands in the address."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        inferred = request.user.has_perm("triples.view_inferredtriple")
        form = AskForm(request.GET if "question" in request.GET else None, inferred=inferred)
        answers = answered(form, request) if form.is_valid() else {}
        return self.own_page(request, "ask", "Ask", form=form, inferred=inferred, media=form.media, **answers)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with write_transaction(request):
            return super().delete_view(request, *args, **kwargs)

    def response_action(  # type: ignore[override]  # the stubs have a later Django's arguments
        self, request: HttpRequest, queryset: QuerySet[Triple]
    ) -> HttpResponse | None:
        """Act on the rows that are ticked, and never on all that a search finds."""
        ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        with write_transaction(request):
            return super().response_action(request, queryset.filter(pk__in=ticked))

    def save_model(self, request: HttpRequest, obj: Triple, form: Any, change: bool) -> None:
        if change:
            if form.has_changed():
                write_now([form.operation])
            return
        [stored] = write_now([form.operation])
        assert isinstance(stored, Stored)
        if stored.status != "inserted":
            raise FactStands(stored.row)
        transaction.on_commit(added_by(Source.ADMIN).inc)
        obj.pk = stored.row.id
        for place in PLACES:
            # The log entry and the message show the fact.
            setattr(obj, place, Term(text=getattr(stored.row, place)))

    def delete_model(self, request: HttpRequest, obj: Triple) -> None:
        write_now([_removal(obj)])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Triple]) -> None:
        write_now([_removal(fact) for fact in queryset])

    @admin.display(description="fact")
    def page(self, fact: Triple) -> SafeString:
        """The text of the link to the fact's own page."""
        return format_html('Open<span class="visually-hidden"> {}</span>', isolated(str(fact)))

    linked_subject = column(Triple, "subject", lambda fact: term_link(fact.subject))
    linked_predicate = column(Triple, "predicate", lambda fact: term_link(fact.predicate))
    linked_object = column(Triple, "object", lambda fact: term_link(fact.object))

    @admin.display(description="metadata")
    def short_metadata(self, fact: Triple) -> str:
        return truncatechars(visible_json(orjson.dumps(fact.metadata).decode()), 60) if fact.metadata else ""

    added = column(Triple, "added (UTC)", lambda fact: f"{fact.created_at:%Y-%m-%d %H:%M}")

    @admin.display(description="changed (UTC)")
    def changed(self, fact: Triple) -> str:
        return f"{fact.updated_at:%Y-%m-%d %H:%M}" if fact.updated_at else "never"

    public_id = column(Triple, "id in the API", lambda fact: ids.pack(to_milliseconds(fact.created_at), fact.pk))
    subject_facts = column(Triple, "subject", lambda fact: _term("subject", fact.subject))
    predicate_facts = column(Triple, "predicate", lambda fact: _term("predicate", fact.predicate))
    object_facts = column(Triple, "object", lambda fact: _term("object", fact.object))


def _term(place: Place, term: Term) -> SafeString:
    """A link to the term, and one to all facts that have it at the place."""
    facts = facts_link(place, term.text, "all facts with it")
    return format_html('{} · <span class="small">{}</span>', term_link(term), facts)


def _removal(fact: Triple) -> Remove:
    return Remove(fact.pk, to_milliseconds(fact.created_at))
