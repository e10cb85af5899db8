"""Browsers elsewhere may call the API where the operator has named their origin."""

import pytest
from pytest_django import Settings

from skg_site.api.door import APIDoor
from tests.skg_site.api import door_urls
from tests.support.asgi import Exchange, exchange, http_scope

ORIGIN = b"https://app.example"


@pytest.fixture
def door(settings: Settings) -> APIDoor:
    settings.API_MIDDLEWARE = ["skg_site.observe.request_log.RequestRecord", "corsheaders.middleware.CorsMiddleware"]
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN.decode()]
    return APIDoor(door_urls.__name__)


async def preflight(door: APIDoor, origin: bytes) -> Exchange:
    headers = [
        (b"origin", origin),
        (b"access-control-request-method", b"DELETE"),
        (b"access-control-request-headers", b"authorization,content-type"),
    ]
    return await exchange(door, http_scope("OPTIONS", "/thing", headers=headers))


async def test_a_preflight_is_answered_without_a_key(door: APIDoor) -> None:
    one = await preflight(door, ORIGIN)
    assert (one.status, one.body) == (200, b"")
    assert one.headers["access-control-allow-origin"] == ORIGIN.decode()
    assert "DELETE" in one.headers["access-control-allow-methods"]
    assert "authorization" in one.headers["access-control-allow-headers"]
    assert "if-match" in one.headers["access-control-allow-headers"]


async def test_an_origin_that_is_not_named_is_not_let_in(door: APIDoor) -> None:
    assert "access-control-allow-origin" not in (await preflight(door, b"https://evil.example")).headers


@pytest.mark.parametrize("path", ["/thing", "/nothing", "/broken"])
async def test_a_page_may_read_the_answer_and_its_headers_even_of_a_failure(door: APIDoor, path: str) -> None:
    one = await exchange(door, http_scope(path=path, headers=[(b"origin", ORIGIN)]))
    assert one.headers["access-control-allow-origin"] == ORIGIN.decode()
    assert {"ETag", "RateLimit", "Retry-After", "X-Request-ID"} <= set(
        one.headers["access-control-expose-headers"].split(", ")
    )
    assert one.headers["vary"] == "origin"


async def test_a_query_string_of_no_encoding_breaks_nothing(door: APIDoor) -> None:
    one = await exchange(door, http_scope(path="/thing", query=b"\xff", headers=[(b"origin", ORIGIN)]))
    assert one.status == 200


async def test_without_named_origins_there_are_no_such_headers(settings: Settings) -> None:
    assert "corsheaders.middleware.CorsMiddleware" not in settings.API_MIDDLEWARE
    one = await preflight(APIDoor(door_urls.__name__), ORIGIN)
    assert one.status == 405
    assert not [name for name in one.headers if name.startswith("access-control")]
