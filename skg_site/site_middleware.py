"""What the site door adds to Django's middleware."""

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django_prometheus.middleware import PrometheusAfterMiddleware
from prometheus_client.metrics import MetricWrapperBase

log = structlog.get_logger("skg.site")


class SiteMetrics(PrometheusAfterMiddleware):  # type: ignore[misc]  # the library has no types
    """django-prometheus's metrics of requests by part of the site: by view, the admin alone would make thousands."""

    def label_metric(
        self, metric: MetricWrapperBase, request: HttpRequest, response: HttpResponseBase | None = None, **labels: str
    ) -> MetricWrapperBase:
        if "view" in labels:
            labels["view"] = labels["view"].partition(":")[0]
        counted: MetricWrapperBase = super().label_metric(metric, request, response, **labels)
        return counted


class SecureCookies(MiddlewareMixin):
    """Marks the cookies of an answer over TLS, so that the browser never sends them without.

    Django's settings could only mark all or none, and the service is also used over plain HTTP on its own host.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response


class DatabaseUnavailable(MiddlewareMixin):
    """Says so when the database cannot be reached or stays locked, as the API does, instead of failing."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, (OperationalError, InterfaceError)):
            return None
        log.warning("database_unavailable", path=request.path, error=type(exception).__name__)
        message = "The database cannot be reached or is busy. Nothing was changed; try again.\n"
        return HttpResponse(message, "text/plain", 503, headers={"Retry-After": "1"})
