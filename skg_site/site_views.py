"""Views of the site door: the documentation and the admin's login, with their rate limits."""

from functools import cache
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from django_ratelimit.decorators import ratelimit
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2

DOCS_RATE = "120/m"
LOGIN_RATE = "10/m"

admin.site.site_header = admin.site.site_title = "SKG API"
admin.site.index_title = "Overview"
# The header links to the documentation instead, if it is served.
admin.site.site_url = None
# The lists need the room more than a few models need a menu.
admin.site.enable_nav_sidebar = False

_docs_limit = ratelimit(group="docs", key="ip", rate=DOCS_RATE)


@require_safe
@_docs_limit  # type: ignore[untyped-decorator]  # django-ratelimit has no types
def openapi(_request: HttpRequest) -> HttpResponse:
    """GET /openapi.json"""
    return HttpResponse(_openapi_document(), content_type="application/json")


@cache
def _openapi_document() -> bytes:
    """The OpenAPI document, made once per process, because it blocks the process for a tenth of a second."""
    generator: Any = SchemaGenerator(urlconf=settings.SPECTACULAR_SETTINGS["SERVE_URLCONF"])  # type: ignore[no-untyped-call]  # nor has this
    document: bytes = OpenApiJsonRenderer2().render(generator.get_schema(request=None, public=True))
    return document


@require_safe
@_docs_limit  # type: ignore[untyped-decorator]  # django-ratelimit has no types
def swagger(request: HttpRequest) -> HttpResponse:
    """GET /docs: Swagger UI, to read and try the operations."""
    return render(request, "docs/swagger.html")


@require_safe
@_docs_limit  # type: ignore[untyped-decorator]  # django-ratelimit has no types
def redoc(request: HttpRequest) -> HttpResponse:
    """GET /redoc: ReDoc, to read the operations."""
    return render(request, "docs/redoc.html")


@ratelimit(group="login", key="ip", rate=LOGIN_RATE, method="POST")  # type: ignore[untyped-decorator]  # as above
def login(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
    """The admin's login. Only attempts count towards the limit."""
    return admin.site.login(request, **kwargs)


@require_safe
@_docs_limit  # type: ignore[untyped-decorator]  # as above
def home(request: HttpRequest) -> HttpResponse:
    """GET /: from a key to the first query; without the documentation, redirects to the admin."""
    if not settings.ENV.enable_docs:
        return redirect("admin:index")
    return render(request, "docs/start.html", {"url": request.build_absolute_uri("/").rstrip("/")})
