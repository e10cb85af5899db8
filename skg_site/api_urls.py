"""URLs of the API door. No path has a trailing slash."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, register_converter

from apikeys.views import KeyViewSet
from skg_site.api.fields import PublicId
from skg_site.observe.metrics import MetricsViewSet
from skg_site.observe.probes import ProbeViewSet
from triples.files.export_view import ExportViewSet
from triples.files.views import ImportViewSet
from triples.http.deletions import DeletionViewSet
from triples.http.query import QueryViewSet
from triples.http.questions.views import AskViewSet
from triples.http.statistics import StatsViewSet
from triples.http.term_views import TermViewSet
from triples.http.views import TripleViewSet
from triples.rules.views import RuleViewSet
from triples.runs.views import RecurseViewSet

register_converter(PublicId, "id")

_PROBES = [
    path("health", ProbeViewSet.as_view({"get": "health"}, basename="probes")),
    path("ready", ProbeViewSet.as_view({"get": "ready"}, basename="probes")),
    path("metrics", MetricsViewSet.as_view({"get": "metrics"}, basename="probes")),
]
_GRAPH = [
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
    path("terms", TermViewSet.as_view({"get": "search"}, basename="terms")),
    path("predicates", TermViewSet.as_view({"get": "predicates"}, basename="terms")),
    path("stats", StatsViewSet.as_view({"get": "stats"}, basename="stats")),
]
_RULES = [
    path("recurse", RecurseViewSet.as_view({"post": "start"}, basename="recurse")),
    path("recurse/<id:id>", RecurseViewSet.as_view({"get": "retrieve"}, basename="recurse")),
    path("recurse/<id:id>/cancel", RecurseViewSet.as_view({"post": "cancel"}, basename="recurse")),
    path("rules", RuleViewSet.as_view({"get": "list", "post": "create"}, basename="rules")),
    # Names can have slashes, which are decoded here.
    path(
        "rules/<path:name>",
        RuleViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}, basename="rules"),
    ),
]
_KEYS = [
    path("keys", KeyViewSet.as_view({"get": "list", "post": "issue"}, basename="keys")),
    path("keys/me", KeyViewSet.as_view({"get": "me"}, basename="keys")),
    path("keys/me/rotate", KeyViewSet.as_view({"post": "rotate_me"}, basename="keys")),
    path("keys/<str:id>/revoke", KeyViewSet.as_view({"post": "revoke"}, basename="keys")),
    path("keys/<str:id>/rotate", KeyViewSet.as_view({"post": "rotate"}, basename="keys")),
]

urlpatterns: list[URLPattern | URLResolver] = [*_PROBES, *_GRAPH, *_RULES, *_KEYS]

if settings.ENV.enable_mcp:
    urlpatterns.append(path("", include("triples.mcp.urls")))
