"""URLs of the API door. No path has a trailing slash."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from skg_site.observe.metrics import MetricsViewSet
from skg_site.observe.probes import ProbeViewSet

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", ProbeViewSet.as_view({"get": "health"}, basename="probes")),
    path("ready", ProbeViewSet.as_view({"get": "ready"}, basename="probes")),
    path("metrics", MetricsViewSet.as_view({"get": "metrics"}, basename="probes")),
    path("", include("triples.http.urls")),
    path("", include("apikeys.urls")),
]

if settings.ENV.enable_mcp:
    urlpatterns.append(path("", include("triples.mcp.urls")))
