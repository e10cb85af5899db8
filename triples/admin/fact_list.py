"""The list of facts for the search box and the filters, read from an index that has it in order."""

from functools import cached_property
from typing import Any, Literal

from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import QuerySet, Sum
from django.http import HttpRequest

from triples.admin.filters import PredicateFilter, SelectionFilter
from triples.admin.kind_tabs import Tab, numbers_of, tabs, visible_kinds
from triples.admin.links import ANYTHING
from triples.admin.lists import BoundedChangeList
from triples.admin.searches import parse_placed
from triples.models import Tally
from triples.query.explanations import own_connection
from triples.query.fact_lists import PLACES, Order, Selection, fact_ids
from triples.store.operations import Pattern
from triples.text import TermError

# A search lists the facts of at most this many terms that begin with the typed text.
MAX_TERMS = 50


class FactList(BoundedChangeList):
    """Newest first when all facts are listed, else heaviest first."""

    terms_cut = False

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self._user = request.user
        super().__init__(request, *args, **kwargs)

    def find(self) -> list[int]:
        return fact_ids(self.selection, self.order)

    @cached_property
    def selection(self) -> Selection:
        selection = self._searched()
        for spec in self.filter_specs:
            assert isinstance(spec, SelectionFilter), "TripleAdmin names no others"
            selection = spec.narrowed(selection)
        return selection

    def _searched(self) -> Selection:
        try:
            search, places = parse_placed(self.query)
        except TermError as error:
            self.fault = error
            return Selection(terms=())
        if search is None:
            return Selection()
        terms = list(search.terms.values_list("pk", flat=True)[: MAX_TERMS + 1])
        self.terms_cut = len(terms) > MAX_TERMS
        return Selection(terms=terms[:MAX_TERMS], places=places, fact=search.fact)

    @cached_property
    def order(self) -> Order:
        weight = self._weight_column
        asked = {f"{weight}": Order.LIGHTEST, f"-{weight}": Order.HEAVIEST}.get(self.params.get(ORDER_VAR, ""))
        return asked or (Order.NEWEST if self.selection.all_facts else Order.HEAVIEST)

    @property
    def order_name(self) -> str:
        return self.order.name.lower()

    @property
    def _weight_column(self) -> int:
        return list(self.list_display).index("weight")

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return list(self.order.value)

    def get_ordering_field_columns(self) -> dict[int, Literal["desc", "asc"]]:
        if self.order is Order.NEWEST:
            return {}
        return {self._weight_column: "desc" if self.order is Order.HEAVIEST else "asc"}

    @cached_property
    def graph_size(self) -> int:
        total: int = Tally.objects.aggregate(total=Sum("triples", default=0))["total"]
        return total

    @property
    def known_total(self) -> int | None:
        return self.graph_size if self.selection.all_facts and not self.selection.filtered else None

    @property
    def tabs(self) -> list[Tab]:
        """The same facts of the other kinds, where that can be said by whole terms; else all of them."""
        if len(kinds := visible_kinds(self._user)) == 1:
            return []
        with own_connection(always=True) as (session, dialect, shown):
            numbers = numbers_of(session.rows, dialect, shown, self._pattern)
        return tabs(kinds, "asserted", self._pattern, numbers)

    @property
    def _pattern(self) -> Pattern:
        """The whole terms that were asked for."""
        try:
            search, places = parse_placed(self.query)
        except TermError:
            return ANYTHING
        terms = {"predicate": self.params.get(PredicateFilter.parameter_name) or None}
        if search is not None and search.exact and len(places) == 1:
            terms[places[0]] = search.text
        subject, predicate, object_ = (terms.get(place) for place in PLACES)
        return subject, predicate, object_

    @property
    def notes(self) -> list[str]:
        notes = super().notes
        if self.terms_cut:
            notes.append(
                f"More than {MAX_TERMS} terms begin with this; the facts of the first {MAX_TERMS} are listed."
                " Type more of the term, or put it in double quotes."
            )
        if self.selection.filtered and self.graph_size > (reach := self.selection.filter_reach):
            each = " of each term at each place" if self.selection.terms else ""
            notes.append(
                "No index has the source or the metadata: these filters look at"
                f" the {self.order_name} {reach:,} facts{each}."
            )
        return notes
