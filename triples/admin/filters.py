"""The filters next to the list of facts. A filter does not change the queryset: it tells the store what is wanted."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from triples.admin.term_inputs import TermInput
from triples.models import Source, Triple
from triples.query.fact_lists import Selection, fetch
from triples.store.statistics import frequent_predicates
from triples.store.term_lookup import find_term_ids
from triples.visible import visible

# So many of the most frequent predicates are listed; the input finds the others.
MAX_PREDICATES = 10

# The label, the least weight, and the weight that all are below.
_WEIGHTS = {
    "1": ("1", 1.0, inf),
    "0.9": ("0.9 to below 1", 0.9, 1.0),
    "0.5": ("0.5 to below 0.9", 0.5, 0.9),
    "0.1": ("0.1 to below 0.5", 0.1, 0.5),
    "0": ("below 0.1", 0.0, 0.1),
}


class SelectionFilter(SimpleListFilter):
    """A filter that narrows the store's selection."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Triple]) -> None:
        """Nothing: None leaves the queryset as it is."""

    def narrowed(self, selection: Selection) -> Selection:
        value = self.value()
        if value is None:
            return selection
        if value not in dict(self.lookup_choices):
            raise IncorrectLookupParameters
        return self.narrow(selection, value)

    @abstractmethod
    def narrow(self, selection: Selection, value: str) -> Selection: ...


class WeightFilter(SelectionFilter):
    title = "weight"
    parameter_name = "weight"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> Sequence[tuple[str, str]]:
        return [(value, label) for value, (label, _, _) in _WEIGHTS.items()]

    def narrow(self, selection: Selection, value: str) -> Selection:
        _, least, below = _WEIGHTS[value]
        return replace(selection, least_weight=least, below_weight=below)


class PredicateFilter(SelectionFilter):
    title = "predicate"
    parameter_name = "predicate"

    template = "admin/triples/predicate_filter.html"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        found, self.number = frequent_predicates(fetch)
        self._listed = found[:MAX_PREDICATES]
        self.others = self.number - len(self._listed)
        # What else is asked for, apart from the page and what has been removed.
        self.kept = [(name, request.GET[name]) for name in sorted(request.GET) if name not in {"predicate", "p", "e"}]
        super().__init__(request, *args)

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> Sequence[tuple[str, str]]:
        return [(one.predicate, visible(one.predicate)) for one in self._listed]

    def has_output(self) -> bool:
        return self.number > 0

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # with a count
        facts = [None, *(one.facts for one in self._listed)]
        for number, choice in zip(facts, super().choices(changelist), strict=True):
            yield dict(choice) | {"facts": number}

    @property
    def input(self) -> SafeString:
        """The input for any predicate."""
        return TermInput("predicate", {"id": "predicate-filter"}).render("predicate", self.value() or "")

    def narrowed(self, selection: Selection) -> Selection:
        text = self.value()
        return selection if not text else self.narrow(selection, text)

    def narrow(self, selection: Selection, value: str) -> Selection:
        # No term has the id 0.
        return replace(selection, predicate=find_term_ids([value.strip()]).get(value.strip(), 0))


class SourceFilter(SelectionFilter):
    title = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> Sequence[tuple[str, str]]:
        return [(source.label, source.label) for source in Source]

    def narrow(self, selection: Selection, value: str) -> Selection:
        return replace(selection, source=Source[value.upper()])


class MetadataFilter(SelectionFilter):
    title = "metadata"
    parameter_name = "metadata"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> Sequence[tuple[str, str]]:
        return [("yes", "with metadata"), ("no", "without metadata")]

    def narrow(self, selection: Selection, value: str) -> Selection:
        return replace(selection, has_metadata=value == "yes")
