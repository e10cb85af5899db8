"""Parsing of request heads, where uvicorn's is not enough."""

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

import httptools

from skg_site.api.problems import BadRequest

Headers = list[tuple[bytes, bytes]]


class Trailers(Headers):
    """Takes the place of a request's headers when its head is complete, and drops the trailers.

    The parser reports trailers like headers. The service needs none, and anybody may have appended them, so none
    becomes a header (RFC 9110, 6.5.1). The parser itself obeys those that concern the connection, and refuses those
    that concern the body.
    """

    def append(self, field: tuple[bytes, bytes]) -> None:
        if field[0] in {b"connection", b"proxy-connection"}:
            raise BadRequest("The header Connection must not come after the body.")


TRAILERS = Trailers()


class Target(NamedTuple):
    """The target of a request; `host` is None if only the header Host names it."""

    path: str
    raw_path: bytes
    query: bytes
    host: bytes | None


def target_of(url: bytes) -> Target:
    """The parts of a request's target in its origin, absolute or asterisk form."""
    if url.startswith(b"/") or url == b"*":
        parsed, host = _parsed(url), None
    else:
        parsed, host = _parsed_absolute(url)
    raw_path = parsed.path or b"/"
    path = raw_path.decode("ascii")
    return Target(unquote(path) if "%" in path else path, raw_path, parsed.query or b"", host)


def _parsed(url: bytes) -> httptools.parser.url_parser.URL:
    try:
        return httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        raise BadRequest("The request's target is neither a path nor a URL of this service.") from None


def _parsed_absolute(url: bytes) -> tuple[httptools.parser.url_parser.URL, bytes]:
    parsed = _parsed(url)
    if (parsed.schema or b"").lower() not in {b"http", b"https"} or not parsed.host or parsed.userinfo:
        raise BadRequest("The request's target is neither a path nor a URL of this service.")
    authority = url.split(b"://", 1)[1]
    for end in b"/?#":
        authority = authority.split(bytes([end]), 1)[0]
    return parsed, authority


def put_host(headers: Headers, host: bytes) -> None:
    """Replace the header Host by the host of an absolute target (RFC 9112, 3.2.2). The header must be there."""
    places = [place for place, (name, _) in enumerate(headers) if name == b"host"]
    if len(places) == 1:
        headers[places[0]] = (b"host", host)


def head_without_upgrade(method: bytes, url: bytes, version: str, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The head of a request without its offer to switch to another protocol."""
    lines = [b"%b %b HTTP/%b\r\n" % (method, url, version.encode())]
    for name, value in headers:
        if name == b"connection":
            options = [option for option in value.split(b",") if option.strip().lower() != b"upgrade"]
            lines.append(b"connection: %b\r\n" % b",".join(options))
        elif name != b"upgrade":
            lines.append(b"%b: %b\r\n" % (name, value))
    lines.append(b"\r\n")
    return b"".join(lines)
