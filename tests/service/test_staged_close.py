"""A client that is still sending when it is refused reads why, whatever it sends and however it sends it."""

import orjson
import pytest

from tests.service.conftest import Connect
from tests.service.wire import HEAD, Wire, eventually
from tests.support.service import Service

TRIES = 20
LARGE = b'{"triples": [' + b" " * 5_000_000 + b"]}"
SENT = {
    413: b"POST /triples/batch HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (HEAD, len(LARGE), LARGE),
    431: b"GET /stats HTTP/1.1\r\n%bX: %b\r\n\r\n" % (HEAD, b"x" * 3_000_000),
    400: b"GET /stats HTTP/1.1\r\n%bbad header\r\n\r\n%b" % (HEAD, b"x" * 3_000_000),
}
CHUNKED_413 = b"POST /triples/batch HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n%x\r\n%b" % (
    HEAD,
    len(LARGE),
    LARGE,
)
SITE_413 = b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(LARGE), LARGE)
CASES = [*SENT.items(), (413, CHUNKED_413), (413, SITE_413)]


@pytest.mark.parametrize(("status", "sent"), CASES, ids=["413", "431", "400", "chunked 413", "admin 413"])
def test_a_client_that_sends_all_before_it_reads_gets_the_answer(connect: Connect, status: int, sent: bytes) -> None:
    for _ in range(TRIES):
        wire = connect()
        wire.send(sent)
        answered, head, body = wire.answer()
        problem = orjson.loads(body)
        assert (answered, problem["status"]) == (status, status)
        assert f"x-request-id: {problem['request_id']}".encode() in head
        assert b"\r\nconnection: close" in head
        assert wire.rest() == b""
        wire.close()


def test_a_client_that_is_refused_for_its_key_gets_the_answer_and_may_go_on(connect: Connect) -> None:
    wire = connect()
    no_key = b"Host: localhost\r\nContent-Type: application/json\r\n"
    wire.send(b"POST /triples/batch HTTP/1.1\r\n%bContent-Length: 50000\r\n\r\n" % no_key + b" " * 50_000)
    assert wire.answer()[0] == 401
    wire.send(b"GET /stats HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert wire.answer()[0] == 200


def test_a_late_body_may_still_come_after_its_answer(connect: Connect) -> None:
    wire = connect()
    wire.send(b"POST /query HTTP/1.1\r\n" + HEAD + b"Content-Length: 60000\r\n\r\n{")
    status, head, _ = wire.answer()
    assert status == 408
    assert b"\r\nconnection: close" in head
    wire.send(b" " * 59_000)
    assert wire.rest() == b""
    # The sending side is still taken from, so nothing is reset.
    wire.send(b" " * 1000)


def test_clients_that_go_on_sending_are_not_read_for_ever(connect: Connect) -> None:
    wire = connect()
    wire.send(SENT[400])
    assert wire.answer()[0] == 400

    def is_cut() -> bool:
        try:
            wire.send(b"x" * 1_000_000)
        except OSError:
            return True
        return False

    assert eventually(is_cut)


def test_connections_that_linger_are_not_kept_without_limit(wired: Service, connect: Connect) -> None:
    wires: list[Wire] = [connect() for _ in range(300)]
    for wire in wires:
        wire.send(b"no request\r\n\r\n")
    assert all(wire.answer()[0] == 400 for wire in wires)

    def is_reset(wire: Wire) -> bool:
        try:
            wire.send(b"x")
        except OSError:
            return True
        return False

    # The oldest were closed for the others' sake.
    assert eventually(lambda: sum(is_reset(wire) for wire in wires) >= len(wires) - 256)
    with wired.client() as client:
        assert client.get("/stats").status_code == 200
