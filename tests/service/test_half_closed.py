"""A client may shut its sending side down and wait for its answers."""

import orjson
import pytest

from tests.service.conftest import Connect
from tests.service.wire import HEAD, chunked, post
from tests.support.service import Service

QUERY = b'{"pattern":[null,null,null]}'
STATS = b"GET /stats HTTP/1.1\r\n" + HEAD + b"\r\n"


def fact(name: str) -> bytes:
    return orjson.dumps({"subject": name, "predicate": "is", "object": "sent and stored and answered"})


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (post("/triples/add", fact("half-closed")), [201]),
        (chunked("/query", QUERY), [200]),
        (STATS * 3, [200] * 3),
        (post("/query", QUERY) * 200, [200] * 200),
        (post("/query", QUERY, headers=b"Connection: Upgrade\r\nUpgrade: h2c\r\n") * 100, [200] * 100),
        (STATS + post("/query", QUERY)[:-1], [200]),
        (STATS + b"GET /st", [200]),
        (STATS + b"no request\r\n\r\n", [200, 400]),
        (b"no request\r\n\r\n", [400]),
        (b"GET /admin/login/ HTTP/1.1\r\nHost: localhost\r\n\r\n", [200]),
        (b"GET /st", []),
        (post("/query", QUERY)[:-1], []),
        (b"", []),
    ],
)
def test_what_was_sent_whole_is_answered(connect: Connect, sent: bytes, statuses: list[int]) -> None:
    wire = connect()
    wire.send(sent)
    wire.shut_down()
    assert [wire.final_answer()[0] for _ in statuses] == statuses
    assert wire.rest() == b""


def test_what_takes_its_time_is_answered_too(wired: Service, connect: Connect) -> None:
    with wired.client() as client:
        client.post("/rules", json={"name": "one", "head": ["?x", "a", "?y"], "body": [["?x", "b", "?y"]]})
    wire = connect()
    wire.send(post("/recurse", b"", headers=b"Prefer: wait=30\r\n"))
    wire.shut_down()
    status, head, _ = wire.final_answer()
    assert status in {200, 202}
    assert b"\r\npreference-applied: wait" in head
