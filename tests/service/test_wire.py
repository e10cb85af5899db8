"""What arrives at the socket, byte by byte: requests that no HTTP client would send."""

import socket
from collections.abc import Iterator

import orjson
import pytest

from tests.service.wire import Wire
from tests.support.service import KEY, Service

HEAD = f"Host: localhost\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n".encode()
LAST = HEAD + b"Connection: close\r\n"
QUERY = b'{"pattern":[null,null,null]}'


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for the whole module."""
    folder = tmp_path_factory.mktemp("service")
    database = request.getfixturevalue("fresh_database")(folder)
    one = Service(folder, workers=1, body_timeout=0.5, max_body_bytes=4096, **database)
    one.start()
    yield one
    one.end()
    assert "Traceback" not in one.log_text


class Connection:
    """A connection whose every byte the test decides."""

    def __init__(self, service: Service) -> None:
        self._socket = socket.create_connection(("127.0.0.1", service.port), timeout=30)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self) -> bytes:
        """All that comes until the server closes the connection, as each of these requests makes it do."""
        received = bytearray()
        with self._socket:
            while piece := self._socket.recv(65_536):
                received += piece
        return bytes(received)

    def close(self) -> None:
        self._socket.close()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /triples?subject=\xff HTTP/1.1\r\n" + LAST + b"\r\n",
        b"GET /\xff HTTP/1.1\r\n" + LAST + b"\r\n",
        b"POST /query HTTP/1.1\r\n" + LAST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /query HTTP/1.1\r\n" + LAST + b"Content-Length: -1\r\n\r\n",
        b"POST /query HTTP/1.1\r\n" + LAST + b"Content-Length: " + b"9" * 100 + b"\r\n\r\n",
        b"DISPATCH /query HTTP/1.1\r\n" + LAST + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /health HTTP/2.0\r\n" + LAST + b"\r\n",
        b"GET /health HTTP/0.9\r\n" + LAST + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
    ids=[
        "raw query",
        "raw path",
        "two lengths",
        "negative length",
        "huge length",
        "no method",
        "HTTP/2",
        "2.0",
        "0.9",
        "TLS",
    ],
)
def test_what_is_no_request_is_refused(running: Service, request_bytes: bytes) -> None:
    connection = Connection(running)
    connection.send(request_bytes)
    assert_it_is_a_logged_problem(running, connection.answer(), 400)


def assert_it_is_a_logged_problem(one: Service, answer: bytes, status: int) -> None:
    assert status_of(answer) == status
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\ncontent-type: application/problem+json" in head.lower()
    assert b"\r\nx-content-type-options: nosniff" in head.lower()
    problem = orjson.loads(body)
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert b"\r\nx-request-id: " + problem["request_id"].encode() in head.lower()
    [line] = [line for line in one.log_lines if line.get("request_id") == problem["request_id"]]
    assert (line["event"], line["status"], line["ip"]) == ("request", status, "127.0.0.1")


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"GET /stats HTTP/1.1\r\nX-Request-ID: of-the-client\r\nHost: localhost\r\nX", 408),
        (b"GET /stats HTTP/1.1\r\nX-Request-ID: of-the-client\r\n" + b"X: x\r\n" * 12_000, 431),
        (b"GET /stats HTTP/1.1\r\nX-Request-ID: of-the-client\r\nHost: localhost\r\nbad header\r\n\r\n", 400),
    ],
)
def test_what_is_known_of_a_request_that_never_arrives_whole_is_said(
    running: Service, begun: bytes, status: int
) -> None:
    own = b"id-%d" % status
    connection = Connection(running)
    connection.send(begun.replace(b"of-the-client", own))
    answer = connection.answer()
    assert_it_is_a_logged_problem(running, answer, status)
    problem = orjson.loads(answer.partition(b"\r\n\r\n")[2])
    assert (problem["request_id"], problem["instance"]) == (own.decode(), "/stats")


@pytest.mark.parametrize("bad", [b"no request\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 12_000])
def test_what_was_asked_for_before_is_answered_before_a_refusal(running: Service, bad: bytes) -> None:
    connection = Connection(running)
    add = orjson.dumps({"subject": "before", "predicate": "a", "object": "refusal"})
    one = b"POST /triples/add HTTP/1.1\r\n" + HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(add), add)
    connection.send(one * 3 + bad)
    answer = connection.answer()
    statuses = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses[:-1] in ([201, 200, 200], [200, 200, 200])
    assert statuses[-1] in {400, 431}


def test_what_follows_the_last_answer_is_not_done(running: Service) -> None:
    connection = Connection(running)
    add = orjson.dumps({"subject": "after", "predicate": "the", "object": "end"})
    one = b"POST /triples/add HTTP/1.1\r\n" + HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(add), add)
    connection.send(b"GET /health HTTP/1.1\r\n" + LAST + b"\r\n" + one)
    assert connection.answer().count(b"HTTP/1.1 ") == 1
    with running.client() as client:
        assert client.get("/triples?subject=after").json()["triples"] == []


@pytest.mark.parametrize("path", [b"/query", b"/admin/login/"])
def test_a_chunk_that_is_none_ends_the_request(running: Service, path: bytes) -> None:
    connection = Connection(running)
    connection.send(b"POST " + path + b" HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")
    connection.send(b"no length\r\n")
    assert_it_is_a_logged_problem(running, connection.answer(), 400)


EXPECTING = b"Expect: 100-Continue\r\nContent-Length: %d\r\n\r\n" % len(QUERY)


def test_a_client_is_told_to_send_its_body(running: Service) -> None:
    wire = Wire(running)
    wire.send(b"POST /query HTTP/1.1\r\n" + LAST + EXPECTING)
    assert wire.answer()[0] == 100
    wire.send(QUERY)
    assert wire.answer()[0] == 200
    wire.close()


@pytest.mark.parametrize(
    ("line", "status"),
    [(b"POST /nothing HTTP/1.1", 404), (b"GET /query HTTP/1.1", 405), (b"POST /stats HTTP/1.1", 405)],
)
def test_a_client_that_is_not_told_to_send_its_body_is_told_that_the_connection_ends(
    running: Service, line: bytes, status: int
) -> None:
    wire = Wire(running)
    wire.send(line + b"\r\n" + HEAD + EXPECTING)
    answered, head, _ = wire.answer()
    assert (answered, b"\r\nconnection: close" in head) == (status, True)
    # It may send it all the same, and it is no request.
    wire.send(QUERY)
    assert wire.rest() == b""
    wire.close()


def test_a_client_without_a_key_is_not_told_to_send_its_body(running: Service) -> None:
    connection = Connection(running)
    connection.send(b"POST /query HTTP/1.1\r\nHost: localhost\r\n" + EXPECTING)
    assert status_of(connection.answer()) == 401


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_nobody_is_told_who_did_not_wait_or_could_not_understand(running: Service, version: bytes) -> None:
    connection = Connection(running)
    connection.send(b"POST /query HTTP/" + version + b"\r\n" + LAST + EXPECTING + QUERY)
    assert status_of(connection.answer()) == 200


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /%00%FF HTTP/1.1", 400),
        (b"GET /%00 HTTP/1.1", 404),
        (b"OPTIONS * HTTP/1.1", 404),
        (b"GET //query HTTP/1.1", 404),
    ],
)
def test_a_path_of_nothing_is_a_problem(running: Service, line: bytes, status: int) -> None:
    connection = Connection(running)
    connection.send(line + b"\r\n" + LAST + b"\r\n")
    answer = connection.answer()
    assert status_of(answer) == status
    assert b"application/problem+json" in answer


def test_a_method_that_is_called_as_an_action_is_none(running: Service) -> None:
    connection = Connection(running)
    connection.send(b"QUERY /query HTTP/1.1\r\n" + LAST + b"\r\n")
    answer = connection.answer()
    assert status_of(answer) == 405
    assert b"allow: post\r\n" in answer.lower()


def test_a_body_may_come_in_chunks(running: Service) -> None:
    connection = Connection(running)
    connection.send(b"POST /query HTTP/1.1\r\n" + LAST + b"Transfer-Encoding: chunked\r\n\r\n")
    for piece in (QUERY[:5], QUERY[5:]):
        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
    connection.send(b"0\r\n\r\n")
    assert status_of(connection.answer()) == 200


def test_requests_may_follow_each_other_without_waiting(running: Service) -> None:
    connection = Connection(running)
    one = b"POST /query HTTP/1.1\r\n" + HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(QUERY), QUERY)
    connection.send(one * 5 + b"GET /health HTTP/1.1\r\n" + LAST + b"\r\n")
    assert connection.answer().count(b"HTTP/1.1 200 OK") == 6


def test_bodies_of_requests_that_follow_each_other_may_be_cut_anywhere(running: Service) -> None:
    """What arrives is looked at in pieces, whose ends are within heads and bodies alike."""
    connection = Connection(running)
    one = b"POST /query HTTP/1.1\r\n" + HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(QUERY), QUERY)
    connection.send(one * 300 + b"GET /health HTTP/1.1\r\n" + LAST + b"\r\n")
    assert connection.answer().count(b"HTTP/1.1 200 OK") == 301


@pytest.mark.parametrize("begun", [b"", b"{"])
def test_a_body_that_does_not_come_is_given_up_and_the_connection_closed(running: Service, begun: bytes) -> None:
    connection = Connection(running)
    connection.send(b"POST /query HTTP/1.1\r\n" + HEAD + b"Content-Length: 50\r\n\r\n" + begun)
    assert status_of(connection.answer()) == 408


@pytest.mark.parametrize("header", [b"Content-Length: 5000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n1388\r\n"])
def test_a_body_that_is_too_large_is_refused_and_the_connection_closed(running: Service, header: bytes) -> None:
    connection = Connection(running)
    connection.send(b"POST /query HTTP/1.1\r\n" + HEAD + header + b"x" * 4500)
    assert status_of(connection.answer()) == 413


def test_nobody_waits_for_clients_that_say_nothing_or_half_a_request(running: Service) -> None:
    silent = [Connection(running) for _ in range(50)]
    for connection in silent[:25]:
        connection.send(b"POST /query HTTP/1.1\r\n" + HEAD)
    with running.client() as client:
        assert client.get("/stats").status_code == 200
    for connection in silent:
        connection.close()
