"""The site door's own views: the documentation, the admin's login, and what guards them."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django_ratelimit.decorators import ratelimit
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

DOCS_RATE = "120/m"
LOGIN_RATE = "10/m"

_by_address = method_decorator(ratelimit(group="docs", key="ip", rate=DOCS_RATE), name="dispatch")


class _Open:
    """For all to read: no key, so no key's limit."""

    throttle_classes = ()


@_by_address
class Schema(_Open, SpectacularJSONAPIView):
    """GET /openapi.json"""


@_by_address
class Swagger(_Open, SpectacularSwaggerSplitView):
    """GET /docs: Swagger UI, its script a request of its own so that the page needs no inline script."""


@_by_address
class Redoc(_Open, SpectacularRedocView):
    """GET /redoc"""


@ratelimit(group="login", key="ip", rate=LOGIN_RATE, method="POST")
def login(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
    """The admin's login; only attempts count against the limit."""
    return admin.site.login(request, **kwargs)


def home(request: HttpRequest) -> HttpResponse:
    """GET /: the documentation, or the admin where that is turned off."""
    return redirect("docs" if settings.ENV.enable_docs else "admin:index")


def too_many(_request: HttpRequest, _exception: Exception) -> HttpResponse:
    """What django-ratelimit's middleware answers in place of a limited view."""
    return HttpResponse("Too many requests; try again in a minute.\n", "text/plain", 429, headers={"Retry-After": "60"})
