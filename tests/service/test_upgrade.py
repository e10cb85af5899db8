"""A client that offers to speak another protocol is answered as if it did not (RFC 9110, 7.8)."""

from collections.abc import Callable

import httpx
import orjson
import pytest

from tests.service.conftest import Connect
from tests.service.wire import HEAD, chunked, eventually, post
from tests.support.service import Service

H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
OFFERS = {
    "h2c": H2C,
    "websocket": b"Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n",
    "TLS": b"CONNECTION: UPGRADE\r\nUPGRADE: TLS/1.2, HTTP/2.0\r\n",
    "two fields": b"Connection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\nConnection: keep-alive\r\n",
}
ADD = {
    "length": lambda body, offer: post("/triples/add", body, headers=offer),
    "chunks": lambda body, offer: chunked("/triples/add", body[:7], body[7:], headers=offer),
}
Framed = Callable[[bytes, bytes], bytes]
STATS = b"GET /stats HTTP/1.1\r\n" + HEAD + b"\r\n"


def fact(name: str) -> bytes:
    return orjson.dumps({"subject": name, "predicate": "offers", "object": "another protocol"})


@pytest.mark.parametrize("framed", ADD.values(), ids=ADD)
@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
def test_a_request_that_offers_another_protocol_keeps_its_body_and_its_connection(
    connect: Connect, offer: bytes, framed: Framed
) -> None:
    wire = connect()
    for _ in range(2):
        wire.send(framed(fact(str(framed)), offer))
        assert wire.answer()[0] in {200, 201}
    wire.send(STATS)
    assert wire.answer()[0] == 200


@pytest.mark.parametrize("framed", ADD.values(), ids=ADD)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_it_may_arrive_in_pieces(connect: Connect, framed: Framed, size: int) -> None:
    wire = connect()
    request = framed(fact(f"in {size}"), H2C)
    for start in range(0, len(request), size):
        wire.send(request[start : start + size])
    assert wire.answer()[0] in {200, 201}


@pytest.mark.parametrize("framed", ADD.values(), ids=ADD)
def test_its_body_is_no_second_request(connect: Connect, framed: Framed) -> None:
    wire = connect()
    wire.send(framed(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", H2C) + STATS)
    assert wire.answer()[0] == 400
    status, _, body = wire.answer()
    assert (status, "total_triples" in orjson.loads(body)) == (200, True)


def test_offers_may_follow_each_other_without_waiting(connect: Connect) -> None:
    wire = connect()
    get = b"GET /stats HTTP/1.1\r\n" + HEAD + H2C + b"\r\n"
    wire.send((get + post("/query", b'{"pattern":[null,null,null]}', headers=H2C)) * 20)
    assert [wire.answer()[0] for _ in range(40)] == [200] * 40


def test_an_offer_together_with_close_closes(connect: Connect) -> None:
    wire = connect()
    wire.send(b"GET /stats HTTP/1.1\r\n" + HEAD + b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert wire.rest().startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_rotation_without_grace_takes_effect(wired: Service, connect: Connect, framing: str) -> None:
    with wired.client() as admin:
        key = admin.post("/keys", json={"name": "offers", "scopes": ["read"]}).raise_for_status().json()["key"]
    body = b'{"grace_seconds": 0}'
    request = (post if framing == "length" else chunked)("/keys/me/rotate", body, headers=H2C)
    own = b"Authorization: Bearer " + key.encode()
    wire = connect()
    wire.send(b"\r\n".join(own if line.startswith(b"Authorization") else line for line in request.split(b"\r\n")))
    assert wire.answer()[0] in {200, 201}
    # A worker looks at a key again within a second.
    assert eventually(lambda: status_with(wired, key) == 401, seconds=10)


def status_with(one: Service, key: str) -> int:
    return httpx.get(f"{one.url}/stats", headers={"Authorization": f"Bearer {key}"}).status_code


@pytest.mark.parametrize(
    "sent",
    [
        b"GET ftp://localhost/stats HTTP/1.1\r\n" + HEAD + H2C + b"\r\n",
        b"GET /stats HTTP/2.0\r\n" + HEAD + H2C + b"\r\n",
        chunked("/query", b"{}", headers=H2C, trailers=b"Connection: close\r\n"),
        post("/query", b"", headers=H2C + b"Transfer-Encoding: chunked\r\n"),
    ],
    ids=["target", "version", "trailer", "two framings"],
)
def test_what_is_wrong_with_it_is_said(connect: Connect, sent: bytes) -> None:
    wire = connect()
    wire.send(sent)
    assert wire.answer()[0] == 400


@pytest.mark.parametrize("rest", [b"", b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"])
def test_connect_is_refused_and_what_follows_it_is_no_request(connect: Connect, rest: bytes) -> None:
    wire = connect()
    wire.send(b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n" + rest)
    answer = wire.rest()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
