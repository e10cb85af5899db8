"""The routes of SKG_METRICS_PORT, where it is another port than SKG_PORT."""

from django.urls import path

from skg_site.observe.metrics import MetricsViewSet

urlpatterns = [path("metrics", MetricsViewSet.as_view({"get": "metrics"}, basename="probes"))]
