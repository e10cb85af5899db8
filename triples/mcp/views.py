"""The Model Context Protocol over HTTP: one message in, one JSON answer out, and no sessions."""

import asyncio
from importlib import import_module
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apikeys.callers import caller_of
from skg_site.api.request import http_of
from skg_site.api.views import APIViewSet

_CONVERSATION = "triples.mcp.conversation"


class KnownOrigin(BasePermission):
    """Refuses pages of other origins, which a browser may lead here under a name of their own (DNS rebinding)."""

    def has_permission(self, request: Request, view: Any) -> bool:
        http = http_of(request)
        origin = http.header(b"origin")
        if origin is None or _is_known(origin.decode("latin-1"), (http.header(b"host") or b"").decode("latin-1")):
            return True
        raise PermissionDenied("Pages of this origin may not call /mcp; SKG_CORS_ORIGINS names those that may.")


def _is_known(origin: str, host: str) -> bool:
    allowed = settings.ENV.cors_origins
    if origin in allowed or "*" in allowed:
        return True
    # Where any host is answered to, its name proves nothing.
    return "*" not in settings.ALLOWED_HOSTS and origin in {f"http://{host}", f"https://{host}"}


class McpViewSet(APIViewSet):
    # Any key may speak; each tool asks for its own scope.
    scopes: ClassVar[dict[str, str]] = {"message": ""}
    permission_classes = (KnownOrigin, *APIViewSet.permission_classes)
    _is_loaded: ClassVar[bool] = False

    # It describes itself to its clients: `server/discover` and `tools/list`.
    @extend_schema(exclude=True)
    async def message(self, request: Request) -> HttpResponse:
        if not McpViewSet._is_loaded:
            # This takes a second, and 10 MB that most services never need.
            await asyncio.to_thread(import_module, _CONVERSATION)
            McpViewSet._is_loaded = True
        from triples.mcp.conversation import respond  # noqa: PLC0415  # as above

        caller = caller_of(request)
        assert caller is not None  # or the request would have been refused
        return await respond(self, request, caller.scopes)
