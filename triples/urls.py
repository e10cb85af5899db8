"""The graph's URLs."""

from django.urls import path

from triples.views import QueryViewSet, StatsViewSet, TripleViewSet

urlpatterns = [
    path("triples", TripleViewSet.as_view({"get": "list"}, basename="triples")),
    path("triples/add", TripleViewSet.as_view({"post": "add"}, basename="triples")),
    path("triples/batch", TripleViewSet.as_view({"post": "batch"}, basename="triples")),
    path(
        "triples/<uuid:id>",
        TripleViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}, basename="triples"),
    ),
    path("query", QueryViewSet.as_view({"post": "query"}, basename="query")),
    path("stats", StatsViewSet.as_view({"get": "stats"}, basename="stats")),
]
