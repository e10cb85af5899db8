"""The request of the API door: Django's, parsed only as far as the answer needs."""

import asyncio
import io
from collections.abc import Iterable
from functools import cached_property
from typing import Any, cast
from urllib.parse import quote

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import QueryDict
from django.urls import ResolverMatch
from rest_framework.request import Request

from skg_site.api.asgi_types import Receive, Scope
from skg_site.api.bodies import ClientGone, Watch, body_in_pieces
from skg_site.api.problems import BadRequest, BodyTimeout, BodyTooLarge, TwiceSent

# Set in the scope of a request whose body or answer is a stream.
STREAMED = "skg.streamed"
_QUERY_CHARACTERS = "!$%&'()*+,-./:;=?@_~"


class APIRequest(ASGIRequest):
    """Django's request, with META built at its first use."""

    request_id: str = ""
    # The id that the client sent, if another replaces it.
    replaced_id: str = ""
    key_id: str | None = None
    route: str = "unknown"
    watch: Watch

    def __init__(self, scope: Scope, receive: Receive) -> None:
        # The parent is not called: it copies every header into META.
        self.scope = scope
        self.receive = receive
        self.method = scope["method"]
        self.path = self.path_info = scope["path"]
        self.script_name = ""
        self.resolver_match: ResolverMatch | None = None
        # Most requests have each header once: looked up here, instead of searched for again and again.
        self._fields: dict[bytes, bytes] = dict(scope["headers"])
        self._all_sole = len(self._fields) == len(scope["headers"])
        # Headers for every response to the request.
        self.answer_headers: list[tuple[bytes, bytes]] = []
        self._read_started = False
        self._post_parse_error = False
        self._body = b""
        self._is_at_end = False

    async def read_body(self) -> None:
        """Read the body, of at most SKG_MAX_BODY_BYTES. A view calls this once the request is authorised.

        Before that, clients without a key could fill the memory with bodies.
        """
        self.watch.reading_begins()
        limit = settings.ENV.max_body_bytes
        declared = self.header(b"content-length")
        # More than 18 digits exceed any limit, and Python limits the digits that it reads.
        if declared is not None and declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
            raise BodyTooLarge(limit)
        message = await self.receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            # Nearly all bodies arrive in one piece, which needs no copy.
            if len(body := message.get("body", b"")) > limit:
                raise BodyTooLarge(limit)
            self._body = bytes(body)
        else:
            self._body = await body_in_pieces(message, self.receive, limit)
        self.watch.body_is_read()

    def begin_stream(self) -> None:
        """Tell the connection that the body is read piece by piece, or the answer is made so, for as long as it takes.

        The caller limits the time of each piece.
        """
        cast("Scope", self.scope)[STREAMED] = True

    async def next_piece(self) -> bytes | None:
        """The next piece of a streamed body; None at its end. 408 if it does not arrive within SKG_BODY_TIMEOUT."""
        if self._is_at_end:
            return None
        limit = settings.ENV.body_timeout
        try:
            message = await asyncio.wait_for(self.receive(), limit)
        except TimeoutError:
            raise BodyTimeout(limit) from None
        if message["type"] != "http.request":
            raise ClientGone
        self._is_at_end = not message.get("more_body")
        return bytes(message.get("body", b""))

    @cached_property
    def META(self) -> dict[str, Any]:  # type: ignore[override]  # an attribute that is made at its first use
        scope = self.scope
        if not (query := scope.get("query_string", b"")).isascii():
            # For bytes that are not UTF-8 Django would raise in a middleware that only reads a header.
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
        """The address of the peer, or the one that trusted proxies forward (`skg_site.api.forwarding`)."""
        client = self.scope.get("client")
        return client[0] if client else ""

    def has_header(self, name: bytes) -> bool:
        return name in self._fields

    def sole_header(self, name: bytes) -> bytes | None:
        """The value of a header; None if it is not there, or if any header came twice."""
        return self._fields.get(name) if self._all_sole else None

    def header(self, name: bytes) -> bytes | None:
        """The value of a header by its lower-case name; 400 if the header came twice."""
        if self._all_sole:
            return self._fields.get(name)
        return sole_value(self.scope["headers"], name)

    def list_header(self, name: bytes) -> bytes | None:
        """The value of a list header, whose lines are joined if it came more than once."""
        if self._all_sole:
            return self._fields.get(name)
        return joined_values(self.scope["headers"], name)


def sole_value(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The value of a header by its lower-case name; 400 if it came twice."""
    values = [value for key, value in headers if key == name]
    if len(values) > 1:
        raise TwiceSent(name)
    return values[0] if values else None


def joined_values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The value of a list header; several lines mean the same as one with commas (RFC 9110, 5.3)."""
    values = [value for key, value in headers if key == name]
    return b",".join(values) if values else None


def http_of(request: Request) -> APIRequest:
    """The request of the API door inside DRF's."""
    http: APIRequest = request._request  # type: ignore[assignment]  # it always is, after the API door
    return http
