"""nginx offers the service no other protocol, whatever a client offers."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import StartService
from tests.deploy.conftest import StartProxy
from tests.support.service import KEY, Service

BODY = b'{"subject":"a","predicate":"is","object":"offered"}'
OFFER = (
    b"POST /triples/add HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n"
    b"Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: %b\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
    b"Content-Type: application/json\r\n"
)
FRAMED = {
    "length": b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY),
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n"
    % (len(BODY), BODY),
}


class Recorder:
    """What stands behind nginx in the service's place, and keeps the bytes of a request."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(30)
        self.port: int = self._listener.getsockname()[1]

    def one_request(self) -> bytes:
        connection, _ = self._listener.accept()
        received = b""
        with connection:
            while not received.endswith(BODY):
                received += connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return received

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    one = Recorder()
    yield one
    one.close()


def answer_through(upstream: Service | Recorder, proxy: StartProxy, sent: bytes) -> bytes:
    front = proxy(upstream)
    received = b""
    with front.connect() as connection:
        connection.sendall(sent)
        while piece := connection.recv(65_536):
            received += piece
    return received


@pytest.mark.parametrize("framing", FRAMED)
def test_the_service_hears_of_no_offer_and_of_no_trailer(recorder: Recorder, proxy: StartProxy, framing: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        request = pool.submit(recorder.one_request)
        answer = answer_through(recorder, proxy, OFFER % b"h2c" + FRAMED[framing])
    head, _, body = request.result().partition(b"\r\n\r\n")
    assert b" 200 " in answer.splitlines()[0]
    assert body == BODY
    assert b"upgrade" not in head.lower()
    assert b"http2-settings" not in head.lower()
    assert b"203.0.113.7" not in head


def test_what_is_offered_is_ignored_and_the_request_is_done(proxy: StartProxy, service: StartService) -> None:
    answer = answer_through(service(), proxy, OFFER % b"websocket" + FRAMED["chunks"])
    assert b" 201 " in answer.splitlines()[0]
