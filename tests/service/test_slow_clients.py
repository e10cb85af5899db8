"""Clients that draw out what they can: each is ended in time, and the others do not notice."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import orjson
import pytest

from tests.conftest import FreshDatabase
from tests.service.conftest import Connect
from tests.service.wire import HEAD, Wire, eventually, post
from tests.service.workers import memory
from tests.support.service import Service, manage

STATUS_LINE = b"HTTP/1.1 200 OK"
QUERY = b'{"pattern":[null,null,null]}'
MANY = 2000
# Memory that a request, a connection or a garbage collection not yet due may take, times all of them here.
SLACK_BYTES = 48 << 20


@pytest.fixture(scope="module")
def running(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for the whole module."""
    folder = tmp_path_factory.mktemp("service")
    one = Service(folder, workers=1, body_timeout=1, log_level="WARNING", max_wait=60, **fresh_database(folder))
    one.start()
    yield one
    one.end()
    assert "Traceback" not in one.log_text


@pytest.fixture
def others(running: Service) -> Iterator[httpx.Client]:
    with running.client() as client:
        yield client


def sends_until_answered(wire: Wire, piece: bytes, pause: float) -> bool:
    """Send one piece after the other until an answer comes, or the end."""

    def is_answered() -> bool:
        if wire.has_something():
            return True
        wire.send(piece)
        time.sleep(pause)
        return False

    return eventually(is_answered)


@pytest.mark.parametrize("begun", [b"P", b"POST /query HTTP/1.1\r\n", b"POST /query HTTP/1.1\r\n" + HEAD])
def test_a_head_that_does_not_end_is_given_up(connect: Connect, begun: bytes) -> None:
    wire = connect()
    wire.send(begun)
    assert wire.rest().startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "begun",
    [b"POST /query HTTP/1.1\r\n" + HEAD + b"X: ", b"POST /query HTTP/1.1\r\n" + HEAD + b"Content-Length: 900\r\n\r\n"],
)
def test_a_request_that_comes_byte_by_byte_is_given_up(connect: Connect, begun: bytes) -> None:
    wire = connect()
    wire.send(begun)
    assert sends_until_answered(wire, b"x", 0.1)
    assert wire.answer()[0] == 408


def test_the_body_of_a_request_that_is_answered_already_must_come_in_time_too(connect: Connect) -> None:
    wire = connect()
    wire.send(b"POST /nothing HTTP/1.1\r\n" + HEAD + b"Content-Length: 900\r\n\r\n")
    assert wire.answer()[0] == 404
    assert sends_until_answered(wire, b"x", 0.1)
    assert wire.is_closed()


def test_the_admin_waits_for_no_body_either(connect: Connect) -> None:
    wire = connect()
    wire.send(b"POST /admin/login/ HTTP/1.1\r\n" + HEAD + b"Content-Length: 900\r\n\r\n")
    assert sends_until_answered(wire, b"x", 0.1)
    assert wire.answer()[0] == 408


def test_a_head_without_end_is_refused_however_fast_it_comes(connect: Connect) -> None:
    wire = connect()
    wire.send(b"GET /health HTTP/1.1\r\n")
    try:
        for number in range(20_000):
            wire.send(b"X-%d: %b\r\n" % (number, b"x" * 80))
    except OSError:
        return
    assert wire.rest().startswith(b"HTTP/1.1 431 ")


def test_two_thousand_idle_connections_cost_little_and_the_others_nothing(
    connect: Connect, running: Service, others: httpx.Client
) -> None:
    before = memory(running)
    idle, begun = ([connect() for _ in range(MANY // 2)] for _ in range(2))
    for wire in idle:
        wire.send(b"GET /health HTTP/1.1\r\n" + HEAD + b"\r\n")
        assert wire.answer()[0] == 200
    for wire in begun:
        wire.send(b"GET /hea")
    assert others.post("/query", content=QUERY, headers={"Content-Type": "application/json"}).status_code == 200
    assert memory(running) - before < SLACK_BYTES
    # Those that have begun a request are ended; the others are what keep-alive is for.
    assert all(wire.rest().startswith(b"HTTP/1.1 408 ") for wire in begun)
    assert not any(wire.is_closed() for wire in idle)


def test_clients_that_hardly_read_are_ended_and_hold_one_answer_at_most(
    connect: Connect, running: Service, others: httpx.Client
) -> None:
    # Past the service: on a busy machine a client may not have sent so much within its second.
    metadata = orjson.dumps({"text": "x" * 4000}).decode()
    lines = "".join(f"wide\tp\to{number}\t1\t{metadata}\n" for number in range(1000))
    imported = manage("import_triples", "-", "--format", "tsv", variables=running.variables, input_text=lines)
    assert imported.returncode == 0, imported.stderr
    wide = orjson.dumps({"pattern": ["wide", None, None], "k": 1000, "include_metadata": True})
    slow = connect(small=True)
    slow.send(post("/query", wide))
    assert reads_a_little(slow)
    before = memory(running)
    deaf = connect(small=True)
    for _ in range(50):
        deaf.send(post("/query", wide))
    assert others.get("/stats").status_code == 200
    # 50 answers are 200 MB.
    assert memory(running) - before < SLACK_BYTES
    assert eventually(lambda: not reads_a_little(slow) and not established(running, deaf))


def reads_a_little(wire: Wire) -> bool:
    """Read 2 KiB a second, if this is called as often as `eventually` does; False when the connection is gone."""
    try:
        return wire.socket.recv(100) != b""
    except ConnectionResetError:
        return False


def established(one: Service, wire: Wire) -> bool:
    """True if the worker still has its end of the connection; the client, who does not read, cannot tell."""
    port = wire.socket.getsockname()[1]
    rows = Path("/proc/net/tcp").read_text().splitlines()
    return any(f":{one.port:04X} 0100007F:{port:04X} 01 " in row for row in rows)


def test_ten_thousand_requests_in_one_breath_are_answered_one_by_one_within_bounds(
    connect: Connect, running: Service, others: httpx.Client
) -> None:
    before = memory(running)
    requests = 10_000
    line = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    most = 0
    wire = connect()
    wire.socket.setblocking(False)
    pending = memoryview(line * requests)
    received = 0
    # A status line may come in two pieces.
    begun = b""
    while received < requests:
        with suppress(BlockingIOError):
            pending = pending[wire.socket.send(pending) :] if pending else pending
        try:
            begun += wire.socket.recv(1 << 20)
        except BlockingIOError:
            most = max(most, memory(running))
            assert others.get("/health").status_code == 200
        received += begun.count(STATUS_LINE)
        begun = begun.rpartition(STATUS_LINE)[2][-len(STATUS_LINE) :]
    assert most - before < SLACK_BYTES


def test_an_answer_keeps_its_place_behind_those_that_were_asked_for_before(connect: Connect) -> None:
    wire = connect()
    paths = [f"/nothing/{number}" for number in range(500)]
    wire.send(b"".join(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode() for path in paths))
    assert [orjson.loads(wire.answer()[2])["instance"] for _ in paths] == paths


def test_a_large_body_that_comes_in_many_pieces_is_whole(connect: Connect) -> None:
    text = "x" * 15_000
    triples = [
        {"subject": "large", "predicate": "p", "object": f"o{number}", "metadata": {"text": text}}
        for number in range(90)
    ]
    wire = connect()
    wire.send(post("/triples/batch", orjson.dumps({"triples": triples})) + post("/query", QUERY))
    assert wire.answer()[0] == 202
    assert wire.answer()[0] == 200
