"""The API door: Django's ASGI handler without what an API has no use for.

The stock handler opens a thread context for every request, sends its signals through threads and
watches for a disconnect with a task of its own. Here a request is read, resolved, answered and sent on
the event loop; only the database work, which the store takes off the loop, runs in threads.

This is the one module that leans on Django's internals: how `ASGIHandler` builds its middleware
chain and what `ASGIRequest` keeps. `tests/skg_site/api/test_door.py` holds it against the real ones.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from functools import cached_property, lru_cache
from typing import Any, Self
from urllib.parse import quote, unquote_to_bytes

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpResponse, QueryDict
from django.http.request import split_domain_port, validate_host
from django.urls import Resolver404, ResolverMatch, URLResolver, get_resolver
from django.utils.module_loading import import_string
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from skg_site.api.problems import BadHost, BadRequest, BodyTimeout, BodyTooLarge, problem_from

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Handler = Callable[["APIRequest"], Awaitable[HttpResponse]]

# A request that takes longer than this is worth watching: for a body that does not come, a client that went away.
WATCH_AFTER_SECONDS = 0.1

# What a browser must be told about answers that are never pages.
CONSTANT_HEADERS = [
    (b"X-Content-Type-Options", b"nosniff"),
    (b"X-Frame-Options", b"DENY"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"Permissions-Policy", b"camera=(), geolocation=(), microphone=()"),
    (b"Content-Security-Policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"Cache-Control", b"no-store"),
]
SECURE_HEADERS = [
    *CONSTANT_HEADERS,
    (b"Strict-Transport-Security", b"max-age=63072000; includeSubDomains"),
]

# The longest name that DNS allows, and a port. Longer ones are not remembered.
MAX_HOST = 253 + len(":65535")

_QUERY_CHARACTERS = "!$%&'()*+,-./:;=?@_~"


class ClientGone(Exception):
    """The client closed the connection before its answer was ready."""


class APIRequest(ASGIRequest):
    """Django's request, with META built only when somebody asks for it."""

    request_id: str = ""
    # What the client sent as the request's id, where another was made in its place.
    replaced_id: str = ""
    key_id: str | None = None
    route: str = "unknown"

    def __init__(self, scope: Scope, receive: Receive) -> None:
        # Not calling the parent is the point: it copies every header into META.
        self.scope = scope
        self.receive = receive
        self.method = scope["method"]
        self.path = self.path_info = scope["path"]
        self.script_name = ""
        self.resolver_match: ResolverMatch | None = None
        # What is added to the answer, whatever that will be.
        self.answer_headers: list[tuple[bytes, bytes]] = []
        self._read_started = False
        self._post_parse_error = False
        self._body = b""

    @cached_property
    def META(self) -> dict[str, Any]:  # type: ignore[override]  # an attribute that is made at its first use
        scope = self.scope
        if not (query := scope.get("query_string", b"")).isascii():
            # Django would raise for bytes that are no UTF-8, out of the reach of a middleware that only wants a header.
            scope = {**scope, "query_string": quote(query, safe=_QUERY_CHARACTERS).encode()}
        return ASGIRequest(scope, io.BytesIO(self._body)).META

    @cached_property
    def GET(self) -> QueryDict:  # type: ignore[override]  # as above, and as immutable as its parent's
        try:
            return QueryDict(self.scope.get("query_string", b"").decode())
        except UnicodeDecodeError:
            raise BadRequest("The query string is not UTF-8.") from None

    @property
    def client_address(self) -> str:
        """The peer's address, or what a trusted proxy says it is (uvicorn has settled that)."""
        client = self.scope.get("client")
        return client[0] if client else ""

    def header(self, name: bytes) -> bytes | None:
        """One header's value by its lower-case name; the same header sent twice is a bad request."""
        found = None
        for key, value in self.scope["headers"]:
            if key == name:
                if found is not None:
                    raise BadRequest(f"The header {name.decode()} came more than once.")
                found = value
        return found

    def list_header(self, name: bytes) -> bytes | None:
        """The value of a header that is a list: several lines mean the same as one with commas (RFC 9110, 5.3)."""
        lines = [value for key, value in self.scope["headers"] if key == name]
        return b",".join(lines) if lines else None


def http_of(request: Request) -> APIRequest:
    """The door's request inside DRF's."""
    http: APIRequest = request._request  # type: ignore[assignment]  # behind the API door it always is one
    return http


class APIDoor(ASGIHandler):
    """Serves the URLs of one URLconf, with the middleware of `settings.API_MIDDLEWARE`."""

    def __init__(self, urlconf: str) -> None:
        self.resolver = get_resolver(urlconf)
        # Most requests go to these, and resolving a path costs as much as answering it.
        self.fixed_routes = {path: self._resolve(path) for path in _fixed_paths(self.resolver)}
        super().__init__()

    def load_middleware(self, is_async: bool = True) -> None:
        handler: Handler = self.answer
        for path in reversed(settings.API_MIDDLEWARE):
            handler = import_string(path)(handler)
        self._middleware_chain = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = APIRequest(scope, receive)
        try:
            response = await self._middleware_chain(request)
        except ClientGone:
            return
        await send_answer(response, request, send)

    async def answer(self, request: APIRequest) -> HttpResponse:
        """The innermost handler: every failure becomes a problem, so nothing is raised past it."""
        try:
            check_path(request)
            check_host(request)
            match = self.fixed_routes.get(request.path) or self._resolve(request.path)
            request.resolver_match = match
            request.route = match.route
            env = settings.ENV
            with _Watch(request.receive, env.body_timeout) as watch:
                request._body = await _read_body(request, env.max_body_bytes)
                watch.body_is_read()
                response: HttpResponse = await match.func(request, *match.args, **match.kwargs)
        except (ClientGone, asyncio.CancelledError):
            raise
        except Exception as error:
            return problem_from(error, {"request": request})
        return response

    def _resolve(self, path: str) -> ResolverMatch:
        try:
            match = self.resolver.resolve(path)
        except Resolver404:
            raise NotFound(f"There is nothing at {path[:200]}.") from None
        match.route = _template("/" + match.route)
        return match


async def _read_body(request: APIRequest, limit: int) -> bytes:
    declared = request.header(b"content-length")
    # Beyond 18 digits no limit needs comparing, and Python would not even read the number.
    if declared is not None and declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
        raise BodyTooLarge(limit)
    message = await request.receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        # Nearly every body comes in one piece, which need not be copied.
        if len(body := message.get("body", b"")) > limit:
            raise BodyTooLarge(limit)
        return bytes(body)
    pieces = bytearray()
    while message["type"] == "http.request":
        pieces += message.get("body", b"")
        if len(pieces) > limit:
            raise BodyTooLarge(limit)
        if not message.get("more_body"):
            return bytes(pieces)
        message = await request.receive()
    raise ClientGone


class _Watch:
    """Ends what runs under it when its body does not arrive in time, or its client goes away before the answer.

    One timer is set for both, and nothing else, since nearly every request is answered before that runs out.
    """

    def __init__(self, receive: Receive, body_timeout: float) -> None:
        self._receive = receive
        self._body_timeout = body_timeout
        self._reading = True
        self._ended_by: Exception | None = None
        self._listener: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(self._loop)
        self._first_look = self._timer = self._loop.call_later(min(WATCH_AFTER_SECONDS, self._body_timeout), self._look)
        return self

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()
        if self._ended_by is not None and self._task is not None and isinstance(error, asyncio.CancelledError):
            self._task.uncancel()
            raise self._ended_by from None

    def body_is_read(self) -> None:
        """From here on the client is watched: whoever receives takes a message away from everybody else."""
        self._reading = False
        if self._timer is not self._first_look:
            self._timer.cancel()
            self._look()

    def _look(self) -> None:
        if self._reading:
            left = max(0.0, self._body_timeout - WATCH_AFTER_SECONDS)
            self._timer = self._loop.call_later(left, self._end, BodyTimeout(self._body_timeout))
        else:
            self._listener = self._loop.create_task(self._listen())

    async def _listen(self) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._end(ClientGone())

    def _end(self, reason: Exception) -> None:
        self._ended_by = reason
        if self._task is not None:
            self._task.cancel()


async def send_answer(response: HttpResponse, request: APIRequest, send: Send) -> None:
    """Send the whole answer in two messages; the API has no streams and no cookies."""
    body = response.content
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    headers += request.answer_headers
    # An answer that can have no content has no length either (RFC 9110, 8.6); a preflight's has one already.
    if response.status_code != 204 and "Content-Length" not in response:
        headers.append((b"Content-Length", b"%d" % len(body)))
    headers += SECURE_HEADERS if request.scope.get("scheme") == "https" else CONSTANT_HEADERS
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def check_path(request: APIRequest) -> None:
    """Refuse a path that is no UTF-8: the server has put U+FFFD in the place of what cannot be read."""
    if "\ufffd" in request.path:
        try:
            unquote_to_bytes(request.scope["raw_path"]).decode()
        except UnicodeDecodeError:
            raise BadRequest("The path is not UTF-8.") from None


def check_host(request: APIRequest) -> None:
    """Refuse a Host that is not the service's, except to probes, which come by address."""
    host = request.header(b"host")
    if host is not None and not _is_allowed(host) and request.path not in settings.PROBE_PATHS:
        raise BadHost(host.decode("latin-1"))


def _is_allowed(host: bytes) -> bool:
    return len(host) <= MAX_HOST and _is_allowed_remembered(host)


@lru_cache(maxsize=1024)
def _is_allowed_remembered(host: bytes) -> bool:
    domain, _port = split_domain_port(host.decode("latin-1"))
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _fixed_paths(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """The paths without variables."""
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _fixed_paths(pattern, path)
        elif not pattern.pattern.converters:
            yield path


def _template(route: str) -> str:
    """Django's `/triples/<uuid:id>` as OpenAPI and the metrics write it: `/triples/{id}`."""
    parts = route.split("/")
    return "/".join("{" + part[1:-1].split(":")[-1] + "}" if part.startswith("<") else part for part in parts)
