"""What follows a body that comes in chunks counts as nothing, and has a limit."""

import httpx
import orjson
import pytest

from tests.service.conftest import Connect
from tests.service.wire import HEAD, Wire, chunked
from tests.service.workers import memory
from tests.support.service import KEY, Service

QUERY = b'{"pattern":[null,null,null]}'
WITHOUT_KEY = b"Host: localhost\r\nContent-Type: application/json\r\n"
MEMORY_SLACK = 16 << 20


def test_a_key_in_a_trailer_is_none(connect: Connect) -> None:
    wire = connect()
    body = b"%x\r\n%b\r\n0\r\n" % (len(QUERY), QUERY)
    wire.send(b"POST /query HTTP/1.1\r\n" + WITHOUT_KEY + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    wire.send(b"Authorization: Bearer " + KEY.encode() + b"\r\n\r\n")
    assert wire.answer()[0] == 401


@pytest.mark.parametrize(
    "trailers",
    [
        b"Authorization: Bearer other\r\n",
        b"Host: evil.example\r\n",
        b"Content-Type: text/plain\r\n",
        b"Accept: text/html\r\n",
        b"Upgrade: h2c\r\n",
        b"Expect: 100-continue\r\n",
        b"Content-Encoding: gzip\r\n",
    ],
)
def test_a_trailer_is_no_header(connect: Connect, trailers: bytes) -> None:
    wire = connect()
    for _ in range(2):
        wire.send(chunked("/query", QUERY, trailers=trailers))
        assert wire.answer()[0] == 200


@pytest.mark.parametrize(
    "trailers", [b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close, upgrade\r\n"]
)
def test_what_concerns_the_body_or_the_connection_is_no_trailer(connect: Connect, trailers: bytes) -> None:
    wire = connect()
    wire.send(chunked("/query", QUERY, trailers=trailers))
    status, head, _ = wire.answer()
    assert (status, b"\r\nconnection: close" in head) == (400, True)


def test_an_address_in_a_trailer_is_not_believed(wired: Service, connect: Connect) -> None:
    """The test comes from loopback, whose X-Forwarded-For would be believed in a head."""
    with wired.client() as admin:
        wanted = {"name": "bound", "scopes": ["read"], "allowed_networks": ["203.0.113.0/24"]}
        key = admin.post("/keys", json=wanted).raise_for_status().json()["key"].encode()
    request = chunked("/query", QUERY, headers=b"Expect:\r\n", trailers=b"X-Forwarded-For: 203.0.113.7\r\n")
    wire = connect()
    wire.send(request.replace(KEY.encode(), key))
    assert wire.answer()[0] == 403


def test_an_id_in_a_trailer_is_not_the_requests(connect: Connect) -> None:
    wire = connect()
    wire.send(chunked("/query", QUERY, trailers=b"X-Request-ID: in-a-trailer\r\n"))
    assert b"in-a-trailer" not in wire.answer()[1]


def send_until_refused(wire: Wire, piece: bytes, times: int) -> int:
    """How much the service took, as far as the sender can tell."""
    sent = 0
    try:
        for _ in range(times):
            wire.send(piece)
            sent += len(piece)
            if wire.has_something():
                break
    except OSError:
        pass
    return sent


ENDLESS = {
    "many fields": (b"", b"X-Trailer: " + b"x" * 1000 + b"\r\n"),
    "one value": (b"X-Trailer: ", b"x" * 1000),
    "one name": (b"", b"x" * 1000),
}


@pytest.mark.parametrize(("begun", "piece"), ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("path", ["/query", "/nothing", "/admin/login/"])
def test_trailers_without_end_are_refused(
    wired: Service, connect: Connect, path: str, begun: bytes, piece: bytes
) -> None:
    before = memory(wired)
    wire = connect()
    wire.send(b"POST %b HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n" % (path.encode(), HEAD))
    wire.send(b"%x\r\n%b\r\n0\r\n" % (len(QUERY), QUERY) + begun)
    sent = send_until_refused(wire, piece * 50, 5000)
    assert sent < 20 << 20
    assert memory(wired) - before < MEMORY_SLACK
    status, head, body = wire.answer()
    # What is not there may be answered before the trailers are too many.
    assert status == 431 or (path, status) == ("/nothing", 404)
    assert orjson.loads(body)["status"] == status
    assert b"\r\nconnection: close" in head or status == 404
    wire.shut_down()
    assert wire.rest() == b""
    assert httpx.get(f"{wired.url}/health").status_code == 200


def test_an_extension_of_a_chunk_without_end_is_refused(connect: Connect) -> None:
    wire = connect()
    wire.send(b"POST /query HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;x=")
    send_until_refused(wire, b"x" * 50_000, 500)
    assert wire.answer()[0] == 431


def test_many_small_chunks_are_a_body(connect: Connect) -> None:
    wire = connect()
    body = QUERY + b" " * 30_000
    wire.send(chunked("/query", *(body[place : place + 1] for place in range(len(body)))))
    assert wire.answer()[0] == 200
