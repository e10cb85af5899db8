"""URLs of facts, rules and runs."""

from django.urls import path, register_converter

from skg_site.api.fields import PublicId
from triples.files.export_view import ExportViewSet
from triples.files.views import ImportViewSet
from triples.http.deletions import DeletionViewSet
from triples.http.questions.views import AskViewSet
from triples.http.term_views import TermViewSet
from triples.http.views import QueryViewSet, StatsViewSet, TripleViewSet
from triples.rules.views import RuleViewSet
from triples.runs.views import RecurseViewSet

register_converter(PublicId, "id")

urlpatterns = [
    path("triples", TripleViewSet.as_view({"get": "list"}, basename="triples")),
    path("triples/add", TripleViewSet.as_view({"post": "add"}, basename="triples")),
    path("triples/batch", TripleViewSet.as_view({"post": "batch"}, basename="triples")),
    path("triples/delete", DeletionViewSet.as_view({"post": "delete_matching"}, basename="triples")),
    path(
        "triples/<id:id>",
        TripleViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}, basename="triples"),
    ),
    path("triples/<id:id>/explain", TripleViewSet.as_view({"get": "explain"}, basename="triples")),
    path("import", ImportViewSet.as_view({"post": "create"}, basename="import")),
    path("import/<id:id>", ImportViewSet.as_view({"get": "retrieve"}, basename="import")),
    path("import/<id:id>/undo", ImportViewSet.as_view({"post": "undo"}, basename="import")),
    path("imports", ImportViewSet.as_view({"get": "list"}, basename="import")),
    path("export", ExportViewSet.as_view({"get": "export"}, basename="export")),
    path("query", QueryViewSet.as_view({"post": "query"}, basename="query")),
    path("query/patterns", AskViewSet.as_view({"post": "patterns"}, basename="query")),
    path("query/paths", AskViewSet.as_view({"post": "paths"}, basename="query")),
    path("query/neighbours", AskViewSet.as_view({"post": "neighbours"}, basename="query")),
    path("recurse", RecurseViewSet.as_view({"post": "start"}, basename="recurse")),
    path("recurse/<id:id>", RecurseViewSet.as_view({"get": "retrieve"}, basename="recurse")),
    path("recurse/<id:id>/cancel", RecurseViewSet.as_view({"post": "cancel"}, basename="recurse")),
    path("rules", RuleViewSet.as_view({"get": "list", "post": "create"}, basename="rules")),
    # Names can have slashes, which are decoded here.
    path(
        "rules/<path:name>",
        RuleViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}, basename="rules"),
    ),
    path("terms", TermViewSet.as_view({"get": "search"}, basename="terms")),
    path("predicates", TermViewSet.as_view({"get": "predicates"}, basename="terms")),
    path("stats", StatsViewSet.as_view({"get": "stats"}, basename="stats")),
]
