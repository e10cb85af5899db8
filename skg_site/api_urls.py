"""URLs of the API door. No path has a trailing slash."""

from django.urls import include, path

from skg_site.observe.metrics import MetricsViewSet
from skg_site.observe.probes import ProbeViewSet

urlpatterns = [
    path("health", ProbeViewSet.as_view({"get": "health"}, basename="probes")),
    path("ready", ProbeViewSet.as_view({"get": "ready"}, basename="probes")),
    path("metrics", MetricsViewSet.as_view({"get": "metrics"}, basename="probes")),
    path("", include("triples.http.urls")),
    path("", include("apikeys.urls")),
]
