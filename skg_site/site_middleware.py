"""Middleware of the site door, in addition to Django's."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from threading import Event
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest as BadAction
from django.core.handlers.asgi import ASGIRequest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin
from django_prometheus.middleware import PrometheusAfterMiddleware
from prometheus_client.metrics import MetricWrapperBase

from skg_site.api.hosts import check_host
from skg_site.api.problems import BadRequest
from skg_site.error_pages import error_page
from skg_site.host.unfit_database import UnfitDatabase

log = structlog.get_logger("skg.site")

# Of the first number that no key can be.
MOST_DIGITS = 19


@sync_and_async_middleware
def only_served_hosts(get_response: Any) -> Any:
    """Refuses requests for hosts that the service does not serve, like the API.

    Django would refuse them later, would not check static files, and would log a trace each time.
    """

    def refusal(request: HttpRequest) -> HttpResponse | None:
        if not isinstance(request, ASGIRequest):
            return None
        try:
            check_host(request.scope)
        except BadRequest as error:
            text = f"{error.detail}\n".encode()
            return HttpResponse(text, "text/plain", error.status_code, headers={"Content-Length": str(len(text))})
        return None

    async def answer_async(request: HttpRequest) -> HttpResponseBase:
        answer: HttpResponseBase = refusal(request) or await get_response(request)
        return answer

    def answer(request: HttpRequest) -> HttpResponseBase:
        answer: HttpResponseBase = refusal(request) or get_response(request)
        return answer

    return answer_async if iscoroutinefunction(get_response) else answer


@sync_and_async_middleware
def departures(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Adds `request.departed()`, which tells a long view whether its client is gone."""
    if not iscoroutinefunction(get_response):
        return get_response

    async def noticing(request: HttpRequest) -> HttpResponseBase:
        gone = Event()
        request.departed = gone.is_set  # type: ignore[attr-defined]  # views read it by name
        answering = asyncio.ensure_future(get_response(request))
        try:
            # Django cancels the task that awaits the view. The view goes on in its thread, so await its end.
            response: HttpResponseBase = await asyncio.shield(answering)
        except asyncio.CancelledError:
            gone.set()
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering
            raise
        return response

    return noticing


class SiteMetrics(PrometheusAfterMiddleware):  # type: ignore[misc]  # the library has no types
    """django-prometheus's request metrics, per part of the site. Per view, the admin alone would make thousands."""

    def label_metric(
        self, metric: MetricWrapperBase, request: HttpRequest, response: HttpResponseBase | None = None, **labels: str
    ) -> MetricWrapperBase:
        if "view" in labels:
            labels["view"] = labels["view"].partition(":")[0]
        counted: MetricWrapperBase = super().label_metric(metric, request, response, **labels)
        return counted


class SecureCookies(MiddlewareMixin):
    """Marks the cookies of answers over TLS as secure, so that browsers send them over TLS only.

    Django's settings mark all cookies or none, but the service's own host also uses plain HTTP.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response


class PossibleKeys(MiddlewareMixin):
    """Refuses an action of the admin on keys that no row can have: Django looks for them, and fails."""

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        if request.method == "POST" and request.path.startswith("/admin/"):
            ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
            if not all(key.isdecimal() and len(key) < MOST_DIGITS for key in ticked):
                raise BadAction("a key that no row can have")


class DatabaseUnavailable(MiddlewareMixin):
    """Answers 503 with the reason, like the API, when the database is out of reach or locked."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, UnfitDatabase):
            log.error("unfit_database", path=request.path, error=str(exception))
            message = str(exception)
        elif isinstance(exception, (OperationalError, InterfaceError)):
            log.warning("database_unavailable", path=request.path, error=type(exception).__name__)
            message = "The database cannot be reached or is busy. Nothing was changed; try again."
        elif isinstance(exception, OSError):
            log.error("file_unavailable", path=request.path, file=exception.filename, error=exception.strerror)
            message = "The service cannot use one of its own files; its log has the reason."
        else:
            return None
        return error_page(HTTPStatus.SERVICE_UNAVAILABLE, detail=message, headers={"Retry-After": "1"})
