"""The API door: Django's ASGI handler without the parts that an API does not need.

The stock handler opens a thread context for every request, sends its signals through threads and watches for a
disconnect with a task of its own. Here a request is read, resolved, answered and sent on the event loop; only database
work runs in threads.

Only this module and `request` depend on Django's internals: the middleware chain of `ASGIHandler` and the attributes of
`ASGIRequest`. `tests/skg_site/api/test_door_*.py` compare them with the real ones.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse
from django.urls import Resolver404, ResolverMatch, URLResolver, get_resolver
from django.utils.module_loading import import_string
from rest_framework.exceptions import NotFound

from skg_site.api.asgi_types import Receive, Scope, Send
from skg_site.api.bodies import ClientGone, Watch
from skg_site.api.hosts import check_host, is_allowed
from skg_site.api.json_answers import JSON_TYPE, JSONAnswer
from skg_site.api.problems import BadRequest, problem_from
from skg_site.api.request import APIRequest
from skg_site.api.streams import StreamedAnswer, send_pieces

Handler = Callable[[APIRequest], Awaitable[HttpResponse]]

# Paths of the site door: the admin, the documentation, the explorer and static files. All others are the API door's.
_DOCS_PATHS = {"/docs", "/redoc", "/openapi.json"} if settings.ENV.enable_docs else set()
_EXPLORER_PATHS = {"/explorer"} if settings.ENV.enable_explorer else set()
_SITE_PATHS = frozenset({"/", "/admin", *_DOCS_PATHS, *_EXPLORER_PATHS})
_SITE_PREFIXES = ("/admin/", "/static/", *(f"{path}/" for path in _EXPLORER_PATHS))
# These have no content, and the length of a 304 would be that of what it stands for (RFC 9110, 8.6).
_WITHOUT_LENGTH = {204, 304}
# Headers that tell a browser that responses are never pages.
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


def is_site(path: str) -> bool:
    return path in _SITE_PATHS or path.startswith(_SITE_PREFIXES)


class APIDoor(ASGIHandler):
    """Serves the URLs of one URLconf, with the middleware of `settings.API_MIDDLEWARE`."""

    def __init__(self, urlconf: str) -> None:
        self.resolver = get_resolver(urlconf)
        # Most requests have one of these paths, and to resolve a path costs as much as the rest of an answer.
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
        """The innermost handler. Every exception becomes a problem response."""
        try:
            if "\ufffd" in request.path:
                check_path(request)
            if not is_allowed(request.sole_header(b"host")):
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


async def send_answer(response: HttpResponse | StreamedAnswer, request: APIRequest, send: Send) -> None:
    """Send the response in two messages, or a stream in many. The API has no cookies."""
    streams = isinstance(response, StreamedAnswer)
    body = b"" if streams else response.content
    if isinstance(response, JSONAnswer) and response.has_only_its_type:
        headers = [JSON_TYPE, (b"Content-Length", b"%d" % len(body))]
    else:
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
        # That of a preflight is set already.
        if response.status_code not in _WITHOUT_LENGTH and not streams and "Content-Length" not in response:
            headers.append((b"Content-Length", b"%d" % len(body)))
    headers += request.answer_headers
    headers += SECURE_HEADERS if request.scope.get("scheme") == "https" else CONSTANT_HEADERS
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    if isinstance(response, StreamedAnswer):
        await send_pieces(response, request, send)
    else:
        await send({"type": "http.response.body", "body": body})


def check_path(request: APIRequest) -> None:
    """Refuse a path that is not UTF-8. The server has put U+FFFD in the place of faulty bytes."""
    try:
        unquote_to_bytes(request.scope["raw_path"]).decode()
    except UnicodeDecodeError:
        raise BadRequest("The path is not UTF-8.") from None


def _fixed_paths(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """The paths of all routes without variables."""
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _fixed_paths(pattern, path)
        elif not pattern.pattern.converters:
            yield path


def _template(route: str) -> str:
    """Django's `/triples/<uuid:id>` as `/triples/{id}`, for OpenAPI and the metrics."""
    parts = route.split("/")
    return "/".join("{" + part[1:-1].split(":")[-1] + "}" if part.startswith("<") else part for part in parts)
