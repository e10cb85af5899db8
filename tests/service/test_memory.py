"""What many clients together make a worker hold: bodies that are not whole, and answers that they do not read."""

from collections.abc import Iterator

import httpx
import orjson
import pytest

from tests.conftest import FreshDatabase
from tests.service.conftest import Connect
from tests.service.wire import HEAD, Wire, eventually, post
from tests.service.workers import memory
from tests.support.service import Service

MIB = 1 << 20
WITHOUT_KEY = b"Host: localhost\r\nContent-Type: application/json\r\n"
BODIES = 40
BODY = b"[" + b" " * (3 * MIB)
READERS = 80
FACTS = 700
TEXT = "x" * 15_000
ANSWER = FACTS * len(TEXT)


@pytest.fixture(scope="module")
def running(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for the whole module."""
    folder = tmp_path_factory.mktemp("service")
    one = Service(folder, workers=1, body_timeout=60, rate_limit="0", max_wait=60, **fresh_database(folder))
    one.start()
    yield one
    one.end()
    assert "Traceback" not in one.log_text


def send_unfinished(connect: Connect, path: bytes, head: bytes) -> list[Wire]:
    wires = [connect() for _ in range(BODIES)]
    for wire in wires:
        try:
            wire.send(b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (path, head, len(BODY) + 1, BODY))
        except OSError:
            continue
    return wires


def test_bodies_of_clients_without_a_key_are_not_kept(running: Service, connect: Connect) -> None:
    before = memory(running)
    wires = send_unfinished(connect, b"/triples/batch", WITHOUT_KEY)
    assert {wire.answer()[0] for wire in wires} == {401}
    assert memory(running) - before < 32 * MIB


@pytest.mark.parametrize(("path", "head", "most"), [(b"/triples/batch", HEAD, 64), (b"/admin/login/", WITHOUT_KEY, 16)])
def test_unfinished_bodies_are_kept_up_to_a_sum(
    running: Service, connect: Connect, path: bytes, head: bytes, most: int
) -> None:
    before = memory(running)
    wires = send_unfinished(connect, path, head)
    enough = BODIES - most // 3 - 1
    assert eventually(lambda: sum(wire.has_something() for wire in wires) >= enough)
    refused = [wire for wire in wires if wire.has_something()]
    # A body is in pieces before it is whole.
    assert memory(running) - before < (most * 2 + 32) * MIB
    for wire in refused:
        status, answer_head, body = wire.answer()
        assert (status, orjson.loads(body)["status"]) == (503, 503)
        assert b"\r\nretry-after: 1" in answer_head
    # Whoever sends a small body, or has sent a large one, is not concerned.
    with running.client() as client:
        assert client.post("/query", json={"pattern": ["a", None, None]}).status_code == 200
    kept = [wire for wire in wires if wire not in refused]
    for wire in kept:
        wire.send(b"]")
    assert sum(wire.answer()[0] != 503 for wire in kept) >= most // 3 - 1
    again = connect()
    again.send(post("/triples/batch", BODY + b"]"))
    assert again.answer()[0] == 422


@pytest.fixture(scope="module")
def wide(running: Service) -> bytes:
    """A request whose answer has ten megabytes."""
    with running.client(timeout=60) as client:
        for first in range(0, FACTS, 100):
            facts = [
                {"subject": "wide", "predicate": "p", "object": f"o{n}", "metadata": {"text": TEXT}}
                for n in range(first, first + 100)
            ]
            client.post("/triples/batch", json={"triples": facts}).raise_for_status()
    return post("/query", orjson.dumps({"pattern": ["wide", None, None], "k": 1000, "include_metadata": True}))


def test_what_slow_readers_do_not_read_is_kept_up_to_a_sum(running: Service, connect: Connect, wide: bytes) -> None:
    before = memory(running)
    slow = [connect(small=True) for _ in range(READERS)]
    for wire in slow:
        wire.send(wide)
    with running.client(timeout=60) as client:
        assert eventually(lambda: goes_on(client) and sum(is_ended(wire) for wire in slow) >= 3)
    # All answers together have 800 MiB. While one is under way, its rows and its JSON are there.
    assert memory(running) - before < 384 * MIB
    quick = connect()
    for _ in range(3):
        assert eventually(lambda: status_of_whole(quick, wide) == 200)
    reasons = [line["reason"] for line in running.log_lines if line["event"] == "slow_reader_ended"]
    assert "the worker holds too much that its clients do not read" in reasons


def goes_on(client: httpx.Client) -> bool:
    fact = {"subject": "meanwhile", "predicate": "is", "object": "written"}
    assert client.get("/health").status_code == 200
    assert client.post("/triples/add", json=fact).status_code in {200, 201}
    return True


def is_ended(wire: Wire) -> bool:
    """True if the answer was a refusal, or the connection is gone; a little of the answer is read."""
    wire.socket.settimeout(0.01)
    try:
        piece = wire.socket.recv(64)
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
    return not piece or piece.startswith(b"HTTP/1.1 503 ")


def status_of_whole(wire: Wire, request: bytes) -> int:
    wire.send(request)
    status, _, body = wire.answer()
    assert status == 503 or len(body) > ANSWER
    return status
