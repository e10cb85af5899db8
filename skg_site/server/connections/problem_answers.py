"""Problems as bytes on the wire, for requests that never reach the application.

A refusal must cost far less than an answer, or refusals alone would overload the service. So it bypasses the ASGI
server and the API door. It is counted and logged like any other answer.
"""

from collections.abc import Mapping
from functools import cache
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import unquote

import orjson
from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpResponse
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from skg_site.api.asgi_types import Scope
from skg_site.api.door import CONSTANT_HEADERS, SECURE_HEADERS
from skg_site.api.forwarding import settle_client
from skg_site.api.problems import MEDIA_TYPE, Problem, content_of
from skg_site.api.request import APIRequest
from skg_site.observe.metrics import SHED
from skg_site.observe.request_log import log_answer, request_id_for

MAX_PATH_CHARACTERS = 200
SERVICE_UNAVAILABLE = 503


class LastAnswer(NamedTuple):
    """A problem to be sent when the earlier requests are answered."""

    problem: Problem
    scope: Scope


def answer_with(problem: Problem, scope: Mapping[str, Any], *, keep_alive: bool) -> bytes:
    """The complete answer to a request, of which only a part may have arrived."""
    start = perf_counter()
    complete: Scope = {"method": "", "path": "", "headers": [], **scope}
    settle_client(complete)
    request = APIRequest(complete, _receive_nothing)
    request.request_id = request_id_for(request)
    # Only routes without variables, so that no client can make up names of metrics.
    request.route = request.path if request.path in _plain_routes() else "unknown"
    answer = _plain_answer(problem, request, keep_alive=keep_alive)
    if problem.status_code == SERVICE_UNAVAILABLE:
        SHED.inc()
    log_answer(request, problem.status_code, start)
    return answer


def partial_scope(scope: Scope, url: bytes) -> Scope:
    """The scope of a request of which a part of the head has arrived, or nothing."""
    path = url.split(b"?", 1)[0].decode("ascii", "replace")
    return {**scope, "path": unquote(path)[:MAX_PATH_CHARACTERS]} if path.startswith("/") else scope


async def _receive_nothing() -> Mapping[str, Any]:
    return {"type": "http.disconnect"}


def _plain_answer(problem: Problem, request: APIRequest, *, keep_alive: bool) -> bytes:
    body = orjson.dumps(content_of(problem, request))
    own = f"x-request-id: {request.request_id}\r\ncontent-length: {len(body)}\r\n".encode()
    constant = _constant_head(str(request.scope.get("scheme")), tuple(problem.headers.items()))
    end = b"\r\n" if keep_alive else b"connection: close\r\n\r\n"
    content = b"" if request.method == "HEAD" else body
    return b"".join((STATUS_LINE[problem.status_code], constant, own, _cors_head(request), end, content))


def _cors_head(request: APIRequest) -> bytes:
    """The headers that let a page of another origin read the answer, if SKG_CORS_ORIGINS names it."""
    if not settings.ENV.cors_origins or "origin" not in request.headers:
        return b""
    response = _cors().add_response_headers(request, HttpResponse(content_type=""))
    return b"".join(b"%b: %b\r\n" % (name.encode(), value.encode()) for name, value in response.items() if value)


@cache
def _constant_head(scheme: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    pairs = [
        *(SECURE_HEADERS if scheme == "https" else CONSTANT_HEADERS),
        (b"Content-Type", MEDIA_TYPE.encode()),
        # The caller decides whether the connection is closed, not the problem.
        *((name.encode(), value.encode()) for name, value in headers if name != "Connection"),
    ]
    return b"".join(b"%b: %b\r\n" % (name.lower(), value) for name, value in pairs)


@cache
def _cors() -> CorsMiddleware:
    return CorsMiddleware(lambda _request: HttpResponse())


@cache
def _plain_routes() -> frozenset[str]:
    from skg_site.asgi import api_door  # noqa: PLC0415  # the application imports this package

    return frozenset(api_door.fixed_routes)
