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
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpResponse, QueryDict
from django.urls import Resolver404, ResolverMatch, URLResolver, get_resolver
from django.utils.module_loading import import_string
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from skg_site.api.bodies import ClientGone, Watch, read_body
from skg_site.api.hosts import check_host
from skg_site.api.problems import BadRequest, TwiceSent, problem_from

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Handler = Callable[["APIRequest"], Awaitable[HttpResponse]]

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


_QUERY_CHARACTERS = "!$%&'()*+,-./:;=?@_~"


class APIRequest(ASGIRequest):
    """Django's request, with META built only when somebody asks for it."""

    request_id: str = ""
    # What the client sent as the request's id, where another was made in its place.
    replaced_id: str = ""
    key_id: str | None = None
    route: str = "unknown"
    watch: Watch

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

    def read_body(self) -> Awaitable[None]:
        """Read the body; a view calls this as soon as it knows that the request may be answered.

        Not before: whoever has no key could fill the memory with bodies.
        """
        return read_body(self, settings.ENV.max_body_bytes)

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
        """The peer's address, or what trusted proxies say it is (`skg_site.forwarding`)."""
        client = self.scope.get("client")
        return client[0] if client else ""

    def header(self, name: bytes) -> bytes | None:
        """One header's value by its lower-case name; the same header sent twice is a bad request."""
        found = None
        for key, value in self.scope["headers"]:
            if key == name:
                if found is not None:
                    raise TwiceSent(name)
                found = value
        return found

    def list_header(self, name: bytes) -> bytes | None:
        """The value of a header that is a list: several lines mean the same as one with commas (RFC 9110, 5.3)."""
        found = None
        for key, value in self.scope["headers"]:
            if key == name:
                found = value if found is None else b"%b,%b" % (found, value)
        return found


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
            if "\ufffd" in request.path:
                check_path(request)
            check_host(request.scope)
            match = self.fixed_routes.get(request.path) or self._resolve(request.path)
            request.resolver_match = match
            request.route = match.route
            with Watch(request.receive, settings.ENV.body_timeout) as request.watch:
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
    """Refuse a path with U+FFFD where the server has put it in the place of what is no UTF-8."""
    try:
        unquote_to_bytes(request.scope["raw_path"]).decode()
    except UnicodeDecodeError:
        raise BadRequest("The path is not UTF-8.") from None


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
