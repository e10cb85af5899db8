"""Prometheus metrics of the HTTP side, and the page with the metrics of all workers."""

import asyncio
from functools import lru_cache

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request

from skg_site.api.addresses import is_within, parse_network
from skg_site.api.openapi import problems
from skg_site.api.request import http_of
from skg_site.api.views import APIViewSet
from skg_site.observe.metric_files import exposition

# Of the durations, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

REQUESTS = Counter("skg_requests_total", "Requests answered", ["method", "endpoint", "http_status"])
SHED = Counter("skg_requests_shed_total", "Requests refused because too many were waiting")
DURATION = Histogram(
    "skg_request_duration_seconds",
    "Time from a request's arrival to its answer",
    ["method", "endpoint"],
    buckets=BUCKETS,
)


@lru_cache(maxsize=4096)
def count_request(method: str, endpoint: str, status: int) -> Counter:
    """The counter for one kind of answer. It is cached, since the lookup costs more than the count."""
    return REQUESTS.labels(method, endpoint, status)


@lru_cache(maxsize=1024)
def time_request(method: str, endpoint: str) -> Histogram:
    return DURATION.labels(method, endpoint)


class MetricsViewSet(APIViewSet):
    """Open to the networks of SKG_METRICS_NETWORKS; a scraper has no key."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    media_type = "text/plain"

    @extend_schema(
        summary="Prometheus metrics of all workers",
        responses={
            (200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, "The page, in Prometheus's text format."),
            **problems(403, 404),
        },
        examples=[
            OpenApiExample(
                "One line of it",
                'skg_requests_total{endpoint="/query",http_status="200",method="POST"} 1027.0',
                media_type="text/plain",
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    async def metrics(self, request: Request) -> HttpResponse:
        env = settings.ENV
        apart = env.metrics_port not in {None, env.port}
        if apart and http_of(request).scope["server"][1] != env.metrics_port:
            raise NotFound(f"Metrics are served on port {env.metrics_port}.")
        networks = [parse_network(network) for network in env.metrics_networks]
        if networks and not is_within(http_of(request).client_address, networks):
            raise PermissionDenied("Metrics are not shown to this address.")
        # Merging the workers' files takes milliseconds, which the event loop does not have.
        page = await asyncio.get_running_loop().run_in_executor(None, exposition)
        return HttpResponse(page, content_type=CONTENT_TYPE_LATEST)
