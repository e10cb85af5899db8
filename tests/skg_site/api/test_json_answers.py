"""JSON responses: Django's in everything that is asked of one, and sent as Django's would be."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers

from skg_site.api.asgi_types import Message
from skg_site.api.door import send_answer
from skg_site.api.json_answers import JSONAnswer
from skg_site.api.request import APIRequest
from skg_site.api.views import json_answer

BODY = b'{"a":1}'


def djangos(status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(BODY, status=status, content_type="application/json", headers=headers)


async def receive() -> Message:
    return {"type": "http.disconnect"}


async def sent(response: HttpResponse, scheme: str = "http") -> tuple[int, set[tuple[bytes, bytes]], int, bytes]:
    scope: Any = {"type": "http", "method": "GET", "path": "/stats", "headers": [], "scheme": scheme}
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    request = APIRequest(scope, receive)
    request.answer_headers.append((b"X-Request-ID", b"a1"))
    await send_answer(response, request, send)
    start, body = messages
    return start["status"], set(start["headers"]), len(start["headers"]), body["body"]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("status", [200, 201, 202, 409, 503])
async def test_it_is_sent_as_djangos(status: int, scheme: str) -> None:
    assert await sent(JSONAnswer(BODY, status), scheme) == await sent(djangos(status), scheme)


async def test_headers_that_are_added_are_sent() -> None:
    one, other = json_answer({"a": 1}, headers={"ETag": '"x"'}), djangos(ETag='"x"')
    for response in (one, other):
        patch_vary_headers(response, ["Origin"])
        response["Retry-After"] = 1
        del response["No-Such"]
    assert await sent(one) == await sent(other)


async def test_content_that_is_replaced_is_sent() -> None:
    one, other = JSONAnswer(BODY), djangos()
    for response in (one, other):
        response.content = b"[]"
        response.write("ä")
    assert await sent(one) == await sent(other)


def test_it_answers_as_djangos_does() -> None:
    one, other = JSONAnswer(BODY, 404), djangos(404)
    for name in ("content", "status_code", "reason_phrase", "charset", "streaming", "closed", "text"):
        assert getattr(one, name) == getattr(other, name)
    assert dict(one.items()) == dict(other.items())
    assert bytes(one) == bytes(other)
    assert not one.cookies
    assert repr(one) == repr(other).replace("HttpResponse", "JSONAnswer")
    one.close()
    assert one.closed
