"""The heads of answers: byte by byte those of uvicorn, however they are made."""

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from skg_site.api.door import CONSTANT_HEADERS, SECURE_HEADERS
from skg_site.api.json_answers import JSON_TYPE
from skg_site.server.connections.cycles import Cycle

Headers = list[tuple[bytes, bytes]]
LENGTH = (b"Content-Length", b"2")
OWN: Headers = [(b"date", b"Mon, 30 Nov 2026 04:00:00 GMT")]


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


async def sent(
    kind: type[RequestResponseCycle], status: int, headers: Headers, *, method: str = "POST", keep_alive: bool = True
) -> tuple[bytes, bool, bool, str]:
    """The bytes that a cycle writes, whether it closes and keeps the connection, and the error that it raises."""
    transport: Any = Transport()
    silent = logging.getLogger("silent")
    cycle = kind(
        scope={"method": method},  # type: ignore[typeddict-item]  # a cycle reads no more of it
        transport=transport,
        flow=FlowControl(transport),
        logger=silent,
        access_logger=silent,
        access_log=False,
        default_headers=OWN,
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=lambda: None,
    )
    error = ""
    try:
        await cycle.send({"type": "http.response.start", "status": status, "headers": headers})
        await cycle.send({"type": "http.response.body", "body": b"{}"})
    except (RuntimeError, ValueError) as raised:
        error = f"{type(raised).__name__} {raised}"
    return bytes(transport.written), transport.is_closed, cycle.keep_alive, error


@pytest.mark.parametrize("keep_alive", [True, False])
@pytest.mark.parametrize("method", ["POST", "HEAD"])
@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, [JSON_TYPE, LENGTH, (b"X-Request-ID", b"a1"), *CONSTANT_HEADERS]),
        (201, [(b"Content-Type", b"application/json"), (b"CONTENT-LENGTH", b"2"), *SECURE_HEADERS]),
        (200, [LENGTH, (b"ETag", b'"x"'), (b"ETag", b'"y"'), (b"X-Latin", b"\xe4\t\xff")]),
        # Without a length, in chunks, or with a word on the connection.
        (200, [JSON_TYPE]),
        (204, []),
        (200, [(b"Transfer-Encoding", b"chunked")]),
        (200, [LENGTH, (b"Transfer-Encoding", b"chunked")]),
        (200, [LENGTH, (b"Connection", b"close")]),
        (200, [LENGTH, (b"Connection", b"Keep-Alive, CLOSE")]),
        (200, [LENGTH, (b"Connection", b"keep-alive")]),
        # Two lengths, and lengths that are not the body's.
        (200, [LENGTH, LENGTH]),
        (200, [(b"Content-Length", b"1")]),
        (200, [(b"Content-Length", b"3")]),
        (200, [(b"Content-Length", b"two")]),
        # What would end the head, or begin another header.
        (200, [LENGTH, (b"X-Split", b"a\r\nSet-Cookie: b")]),
        (200, [LENGTH, (b"X-Split", b"a\nb")]),
        (200, [LENGTH, (b"X-Nul", b"a\x00b")]),
        (200, [LENGTH, (b"X Space", b"a")]),
        (200, [LENGTH, (b"X-Colon:", b"a")]),
        (200, [(b"X-Split", b"a\r\nb"), LENGTH]),
        (200, [(b"Content-Length", b"2\r\nX: y")]),
    ],
)
async def test_a_head_is_uvicorns(status: int, headers: Headers, method: str, keep_alive: bool) -> None:
    ours, theirs = [
        await sent(kind, status, headers, method=method, keep_alive=keep_alive)
        for kind in (Cycle, RequestResponseCycle)
    ]
    assert ours == theirs


async def test_a_usual_head_is_not_left_to_uvicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    whole = RequestResponseCycle.send

    async def send(self: RequestResponseCycle, message: Any) -> None:
        asked.append(message["type"])
        await whole(self, message)

    monkeypatch.setattr(RequestResponseCycle, "send", send)
    await sent(Cycle, 200, [JSON_TYPE, LENGTH, (b"X-Request-ID", b"a1"), *CONSTANT_HEADERS])
    assert asked == ["http.response.body"]
