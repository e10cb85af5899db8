"""Which requests are refused when a worker has more to do than it can, and what they are answered."""

from functools import cache
from time import perf_counter

import orjson
from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpResponse

from skg_site.api.door import CONSTANT_HEADERS, SECURE_HEADERS, APIRequest, Receive, Scope
from skg_site.api.problems import MEDIA_TYPE, Problem, Unavailable, content_of
from skg_site.api.shedding import Gate
from skg_site.forwarding import settle_client
from skg_site.metrics import SHED
from skg_site.requests import log_answer, request_id_for

# The reads and writes of single facts and batches, which take their turn before anything else; and all the rest,
# which may wait behind long reads and must not shut the first out by doing so.
QUICK, OTHER = (Gate(settings.ENV.max_wait) for _ in range(2))
# Who asks after the service's health must be told, and who waits for a run's end is no burden.
ALWAYS_ADMITTED = settings.PROBE_PATHS | {"/recurse"}

TOO_BUSY = Unavailable("More is asked of the service than it can answer in time; try again.")
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\n"


def gate_for(path: str) -> Gate | None:
    """The gate that a request to this path has to pass."""
    if path == "/query" or (path.startswith("/triples/") and not path.endswith("/explain")):
        return QUICK
    return None if path in ALWAYS_ADMITTED else OTHER


def adjust_gates(elapsed: float, lag: float) -> None:
    for gate in (QUICK, OTHER):
        gate.adjust(elapsed, lag)


def refusal(scope: Scope, receive: Receive, *, keep_alive: bool) -> bytes:
    """The whole answer as it goes over the wire, counted and logged as any other.

    A refusal must cost little of what an answer costs, or the service would drown in refusals. So it is made
    without the ASGI server's and the door's help, before either has done anything for the request.
    """
    start = perf_counter()
    settle_client(scope)
    request = APIRequest(scope, receive)
    request.request_id = request_id_for(request)
    # Only these have no variables, so that no client can make up names of metrics.
    request.route = request.path if request.path in _plain_routes() else "unknown"
    answer = plain_answer(REFUSED, TOO_BUSY, request, keep_alive=keep_alive)
    SHED.inc()
    log_answer(request, TOO_BUSY.status_code, start)
    return answer


def plain_answer(status_line: bytes, problem: Problem, request: APIRequest, *, keep_alive: bool) -> bytes:
    """A problem as bytes on the wire."""
    body = orjson.dumps(content_of(problem, request))
    own = f"x-request-id: {request.request_id}\r\ncontent-length: {len(body)}\r\n".encode()
    constant = _constant_head(problem, str(request.scope.get("scheme")))
    end = b"\r\n" if keep_alive else b"connection: close\r\n\r\n"
    return b"".join((status_line, constant, own, _cors_head(request), end, b"" if request.method == "HEAD" else body))


def _cors_head(request: APIRequest) -> bytes:
    """What lets a page of another origin read the answer, where the operator has named it."""
    if not settings.ENV.cors_origins or "origin" not in request.headers:
        return b""
    response = _cors().add_response_headers(request, HttpResponse(content_type=""))
    return b"".join(b"%b: %b\r\n" % (name.encode(), value.encode()) for name, value in response.items() if value)


@cache
def _constant_head(problem: Problem, scheme: str) -> bytes:
    pairs = [
        *(SECURE_HEADERS if scheme == "https" else CONSTANT_HEADERS),
        (b"Content-Type", MEDIA_TYPE.encode()),
        *((name.encode(), value.encode()) for name, value in problem.headers.items()),
    ]
    return b"".join(b"%b: %b\r\n" % (name.lower(), value) for name, value in pairs)


@cache
def _cors() -> CorsMiddleware:
    return CorsMiddleware(lambda _request: HttpResponse())


@cache
def _plain_routes() -> frozenset[str]:
    from skg_site.asgi import api_door  # noqa: PLC0415  # the application loads what counts its requests

    return frozenset(api_door.fixed_routes)
