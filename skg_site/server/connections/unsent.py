"""Answers that wait in a worker's memory for their clients to read them."""

import socket
import struct
from asyncio import AbstractEventLoop, Transport
from typing import NamedTuple

import structlog

log = structlog.get_logger("skg.connections")

# A client that takes less than this in so many seconds is taken to have stopped reading.
LEAST_READ_BYTES = 128 * 1024
READ_SECONDS = 15.0
# While a worker holds more than this, it begins no answer that may be large, and ends the slowest readers.
MOST_UNSENT_BYTES = 64 << 20
# A reader is not judged before it has had so long; but it is when a worker holds twice as much.
PATIENCE_SECONDS = 1.0

# For SO_LINGER: close at once, and forget what is not sent.
DISCARD = struct.pack("ii", 1, 0)


class Unsent(NamedTuple):
    """What of the answers was still to be sent, and since when it has been hardly less."""

    since: float
    size: int


class Reader:
    """A connection's client as one that reads answers, fast or slowly."""

    __slots__ = ("_behind", "_client", "_loop", "_stalled", "_transport")

    def __init__(self, transport: Transport, client: str, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._client = client
        self._loop = loop
        self._stalled: Unsent | None = None
        # Since the transport holds more than it likes to.
        self._behind: Unsent | None = None

    @property
    def unsent(self) -> int:
        return self._transport.get_write_buffer_size()

    def has_stopped(self, now: float) -> bool:
        """Whether it has taken next to nothing for long, although there is something to take."""
        size = self.unsent
        if not size:
            self._stalled = None
        elif self._stalled is None or self._stalled.size - size >= LEAST_READ_BYTES:
            self._stalled = Unsent(now, size)
        return self._stalled is not None and now - self._stalled.since > READ_SECONDS

    def falls_behind(self) -> None:
        if self._behind is None:
            self._behind = Unsent(self._loop.time(), self.unsent)
            backlog.add(self, self._loop)

    def has_caught_up(self) -> None:
        if self._behind is not None:
            self._behind = None
            backlog.remove(self)

    def pace(self, now: float) -> tuple[bool, float]:
        """Sorts the readers that are behind: those that are new after the others, and the slower before the faster."""
        if self._behind is None:
            return True, 0.0
        seconds = now - self._behind.since
        taken = self._behind.size - self.unsent
        return seconds < PATIENCE_SECONDS, taken / max(seconds, PATIENCE_SECONDS)

    def end(self, reason: str) -> None:
        log.warning("slow_reader_ended", ip=self._client, unsent_bytes=self.unsent, reason=reason)
        # The kernel holds as much again, and must not wait for the client either.
        connection: socket.socket | None = self._transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, DISCARD)
        self._transport.abort()


class Backlog:
    """The readers of a worker that are behind, and what it holds for them all.

    The transport says who is behind and who no longer is, so quick readers cost nothing.
    """

    def __init__(self, most: int) -> None:
        self.is_full = False
        self._most = most
        self._readers: dict[Reader, None] = {}
        self._is_due = False

    def add(self, reader: Reader, loop: AbstractEventLoop) -> None:
        self._readers[reader] = None
        if not self._is_due:
            # Not at once: the reader's own answer is just being written.
            self._is_due = True
            loop.call_soon(self._look_soon, loop)

    def remove(self, reader: Reader) -> None:
        self._readers.pop(reader, None)
        if self.is_full:
            self.is_full = self._held() > self._most

    def look(self, now: float) -> None:
        """End the slowest readers until the worker holds no more than it may; one alone may have a larger answer."""
        held = self._held()
        if held > self._most:
            for reader in sorted(self._readers, key=lambda reader: reader.pace(now)):
                is_new, _ = reader.pace(now)
                if len(self._readers) < 2 or held <= self._most * (2 if is_new else 1):
                    break
                held -= reader.unsent
                self._readers.pop(reader)
                reader.end("the worker holds too much that its clients do not read")
        self.is_full = held > self._most

    def _look_soon(self, loop: AbstractEventLoop) -> None:
        self._is_due = False
        self.look(loop.time())

    def _held(self) -> int:
        return sum(reader.unsent for reader in self._readers)


backlog = Backlog(MOST_UNSENT_BYTES)
