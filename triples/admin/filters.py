"""The filters next to the list of facts. A filter does not change the queryset: it tells the store what is wanted."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest

from triples.models import Source, Triple
from triples.query.fact_lists import Selection, used_predicates
from triples.visible import visible

# With more predicates than this the list is no help; the search box finds them.
MAX_PREDICATES = 500

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

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> Sequence[tuple[str, str]]:
        predicates = used_predicates(MAX_PREDICATES + 1)
        return [(str(id_), visible(text)) for id_, text in predicates] if len(predicates) <= MAX_PREDICATES else []

    def narrow(self, selection: Selection, value: str) -> Selection:
        return replace(selection, predicate=int(value))


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
