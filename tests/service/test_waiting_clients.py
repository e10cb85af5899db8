"""Clients that wait for a service whose writes wait: those that send ahead, those that say no more, those that go."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import httpx
import orjson
import pytest

from tests.conftest import StartService
from tests.service.wire import Wire, eventually, post
from tests.support.service import Service

CLIENTS = 500
ADD = post("/triples/add", orjson.dumps({"subject": "far", "predicate": "is", "object": "ahead"}))
# As much as is read at once.
AHEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 6000


@pytest.fixture
def busy(service: StartService) -> Service:
    return service(workers=1, max_wait=60, body_timeout=60, rate_limit="0", database_url="")


@pytest.fixture
def lock(busy: Service) -> Iterator[sqlite3.Connection]:
    """Has the writes of the service wait."""
    with closing(sqlite3.connect(busy.folder / "skg.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def statuses(one: Service, request_id: str) -> list[int]:
    return [line["status"] for line in one.log_lines if line.get("request_id") == request_id]


def test_a_client_that_is_gone_is_told_from_one_that_only_sends_no_more(
    busy: Service, lock: sqlite3.Connection
) -> None:
    gone, waiting = Wire(busy), Wire(busy)
    gone.send(ADD.replace(b"\r\n", b"\r\nX-Request-ID: gone\r\n", 1))
    waiting.send(ADD.replace(b"\r\n", b"\r\nX-Request-ID: waiting\r\n", 1))
    gone.close()
    waiting.shut_down()
    assert eventually(lambda: statuses(busy, "gone") == [499])
    assert statuses(busy, "waiting") == []
    lock.execute("ROLLBACK")
    assert waiting.final_answer()[0] in {200, 201}
    assert waiting.rest() == b""
    waiting.close()


@pytest.fixture
def wires(busy: Service) -> Iterator[list[Wire]]:
    opened = [Wire(busy) for _ in range(CLIENTS)]
    yield opened
    for wire in opened:
        wire.close()


def cuts(one: Service) -> int:
    return sum(line["event"] == "connection_cut" for line in one.log_lines)


def test_what_waits_unread_has_a_sum_and_what_was_taken_is_answered(
    busy: Service, lock: sqlite3.Connection, wires: list[Wire]
) -> None:
    for wire in wires:
        wire.send(ADD)
        wire.socket.setblocking(False)
        wire.socket.send(AHEAD)
        wire.socket.settimeout(60)
    # 16 MiB of pieces of 64 KiB are 256.
    assert eventually(lambda: cuts(busy) > 0)
    assert httpx.get(f"{busy.url}/health").status_code == 200
    lock.execute("ROLLBACK")
    assert {wire.answer()[0] for wire in wires} <= {200, 201}
