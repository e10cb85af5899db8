"""Views behind the door under test, and behind Django's own handler beside it."""

import asyncio
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from rest_framework.request import Request

from skg_site.api.request import APIRequest
from skg_site.api.views import APIViewSet, json_answer


class Happenings:
    """What became of a request to `/slow`; a test sets `release` to let it end."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.release = asyncio.Event()
        self.outcome = ""


happenings = Happenings()


async def echo(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    # Django's own handler has read it.
    if isinstance(request, APIRequest):
        await request.read_body()
    return JsonResponse(
        {
            "method": request.method,
            "path": request.path,
            "path_info": request.path_info,
            "host": request.get_host(),
            "scheme": request.scheme,
            "secure": request.is_secure(),
            "uri": request.build_absolute_uri(),
            "full_path": request.get_full_path(),
            "GET": dict(request.GET.lists()),
            "META": {name: str(value) for name, value in request.META.items()},
            "headers": dict(request.headers),
            "body": request.body.decode("latin-1"),
            "route": kwargs,
        }
    )


async def slow(request: APIRequest) -> HttpResponse:
    await request.read_body()
    happenings.started.set()
    try:
        await happenings.release.wait()
    except asyncio.CancelledError:
        happenings.outcome = "cancelled"
        raise
    happenings.outcome = "answered"
    return json_answer({})


async def broken(_request: HttpRequest) -> HttpResponse:
    secret = "a-local-variable"
    raise RuntimeError(f"with {secret} in its message")


class ThingViewSet(APIViewSet):
    """One path with two methods; one of its actions is called as an HTTP method is."""

    authentication_classes = []
    permission_classes = []
    throttle_classes = []

    async def query(self, _request: Request) -> HttpResponse:
        return json_answer({"did": "query"})

    async def remove(self, _request: Request) -> HttpResponse:
        return json_answer({"did": "remove"})


urlpatterns = [
    path("echo", echo),
    path("echo/<path:rest>", echo),
    path("slow", slow),
    path("broken", broken),
    path("thing", ThingViewSet.as_view({"get": "query", "delete": "remove"}, basename="thing")),
]
