"""The API door's URLs. No path has a trailing slash."""

from django.urls import include, path

from skg_site.health import ProbeViewSet
from skg_site.metrics import MetricsViewSet

urlpatterns = [
    path("health", ProbeViewSet.as_view({"get": "health"}, basename="probes")),
    path("ready", ProbeViewSet.as_view({"get": "ready"}, basename="probes")),
    path("metrics", MetricsViewSet.as_view({"get": "metrics"}, basename="probes")),
    path("", include("triples.urls")),
    path("", include("apikeys.urls")),
]
