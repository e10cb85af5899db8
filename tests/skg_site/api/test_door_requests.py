"""A request through the API door is the request that Django's own handler makes of it."""

from io import BytesIO
from typing import Any, cast

import pytest
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from pytest_django import Settings

from skg_site.api.door import APIDoor
from skg_site.api.request import APIRequest
from tests.skg_site.api import door_urls
from tests.support.asgi import Message, exchange, http_scope

PATHS = [
    "/echo",
    "/echo/",
    "/echo//",
    "/echo/a b",
    "/echo/é/東京",
    "/echo/%2F",
    "/echo/..",
    "/echo/;v=1",
    "/echo/\ufffd",
]

QUERIES = [
    b"",
    b"a=1&b=2&a=3",
    b"a=&b&=c&&",
    b"a=%C3%A9&b=x+y&c=%2B",
    b"a=%FF",
    b"a;b=1",
    b"%00=%0A",
]

HEADERS = [
    (b"content-type", b"application/json; charset=utf-8"),
    (b"content-length", b"4"),
    (b"x-custom", b"one"),
    (b"x-custom", b"two"),
    (b"cookie", b"a=1"),
    (b"cookie", b"b=2"),
    (b"x-latin", b"caf\xe9"),
    (b"under_score", b"1"),
]


@pytest.fixture
def django_handler(settings: Settings) -> ASGIHandler:
    settings.ROOT_URLCONF = door_urls.__name__
    settings.MIDDLEWARE = []
    return ASGIHandler()


async def both(door: APIDoor, django_handler: ASGIHandler, scope: Message, body: bytes = b"") -> tuple[Any, Any]:
    ours = await exchange(door, scope, body)
    djangos = await exchange(cast("Any", django_handler), scope, body)
    assert ours.status == djangos.status
    return ours, djangos


@pytest.mark.parametrize("path", PATHS)
async def test_paths(door: APIDoor, django_handler: ASGIHandler, path: str) -> None:
    ours, djangos = await both(door, django_handler, http_scope(path=path))
    if ours.status == 200:
        assert ours.content == djangos.content


@pytest.mark.parametrize("query", QUERIES)
async def test_query_strings(door: APIDoor, django_handler: ASGIHandler, query: bytes) -> None:
    ours, djangos = await both(door, django_handler, http_scope(path="/echo", query=query))
    assert ours.content == djangos.content


async def test_a_query_string_of_no_encoding_is_a_bad_request(door: APIDoor) -> None:
    refused = await exchange(door, http_scope(path="/echo", query=b"a=\xff"))
    assert (refused.status, refused.content["detail"]) == (400, "The query string is not UTF-8.")
    request = APIRequest(http_scope(query=b"\xc3\xa9=\xff+%20"), cast("Any", None))
    assert request.META["QUERY_STRING"] == "%C3%A9=%FF+%20"


async def test_more_parameters_than_django_reads_are_a_bad_request(door: APIDoor) -> None:
    refused = await exchange(door, http_scope(path="/echo", query=b"a&" * 1001))
    assert refused.status == 400


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_methods(door: APIDoor, django_handler: ASGIHandler, method: str) -> None:
    ours, djangos = await both(door, django_handler, http_scope(method, "/echo"))
    assert ours.content == djangos.content


async def test_headers_and_body(door: APIDoor, django_handler: ASGIHandler) -> None:
    ours, djangos = await both(door, django_handler, http_scope("POST", "/echo", headers=HEADERS), b'"\xff"')
    assert ours.content == djangos.content
    assert ours.content["headers"]["X-Custom"] == "one,two"


async def test_a_secure_connection(door: APIDoor, django_handler: ASGIHandler) -> None:
    scope = http_scope(path="/echo") | {"scheme": "https", "server": ("skg.example", 443)}
    ours, djangos = await both(door, django_handler, scope)
    assert ours.content == djangos.content
    assert ours.content["secure"] is True


async def test_a_connection_without_addresses(door: APIDoor, django_handler: ASGIHandler) -> None:
    scope = http_scope(path="/echo") | {"client": None, "server": None}
    ours, djangos = await both(door, django_handler, scope)
    assert ours.content == djangos.content


def test_meta_is_djangos_even_before_the_body_is_read() -> None:
    scope = http_scope("POST", "/echo", headers=HEADERS)
    assert APIRequest(scope, cast("Any", None)).META == ASGIRequest(scope, BytesIO()).META


def test_a_header_is_found_by_its_name_and_refused_when_it_comes_twice() -> None:
    request = APIRequest(http_scope(headers=HEADERS), cast("Any", None))
    assert request.header(b"content-length") == b"4"
    assert request.header(b"authorization") is None
    with pytest.raises(Exception, match="The header x-custom came more than once"):
        request.header(b"x-custom")


def test_the_clients_address_is_the_servers_word() -> None:
    scope = http_scope(headers=[(b"x-forwarded-for", b"192.0.2.7")])
    assert APIRequest(scope, cast("Any", None)).client_address == "127.0.0.1"
    assert APIRequest(scope | {"client": None}, cast("Any", None)).client_address == ""
