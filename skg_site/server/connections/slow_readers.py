"""Answers that wait in a worker's memory until their clients read them."""

import socket
import struct
from asyncio import AbstractEventLoop, Transport
from typing import NamedTuple

import structlog

log = structlog.get_logger("skg.connections")

# A client that reads less than LEAST_READ_BYTES in READ_SECONDS counts as stopped.
LEAST_READ_BYTES = 128 * 1024
READ_SECONDS = 15.0
# While a worker holds more than this, it starts no answer that may be large, and disconnects the slowest readers.
MOST_UNSENT_BYTES = 64 << 20
# A reader is not disconnected sooner than this, unless the worker holds twice as much.
PATIENCE_SECONDS = 1.0

# For SO_LINGER: close at once, and drop what is not sent.
DISCARD = struct.pack("ii", 1, 0)


class Unsent(NamedTuple):
    """The size of what was still to be sent, and the time since which it has hardly shrunk."""

    since: float
    size: int


class Reader:
    """Measures how fast the client of a connection reads its answers."""

    __slots__ = ("_behind", "_client", "_loop", "_stalled", "_transport")

    def __init__(self, transport: Transport, client: str, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._client = client
        self._loop = loop
        self._stalled: Unsent | None = None
        # Set while the transport holds more than its high-water mark.
        self._behind: Unsent | None = None

    @property
    def unsent(self) -> int:
        return self._transport.get_write_buffer_size()

    def has_stopped(self, now: float) -> bool:
        """True if the client has read next to nothing for long, although there is something to read."""
        size = self.unsent
        if not size:
            self._stalled = None
        elif self._stalled is None or self._stalled.size - size >= LEAST_READ_BYTES:
            self._stalled = Unsent(now, size)
        return self._stalled is not None and now - self._stalled.since > READ_SECONDS

    def falls_behind(self) -> None:
        if self._behind is None:
            self._behind = Unsent(self._loop.time(), self.unsent)
            backlog.add(self, self._behind.since)

    def has_caught_up(self) -> None:
        if self._behind is not None:
            self._behind = None
            backlog.remove(self)

    def pace(self, now: float) -> tuple[bool, float]:
        """The sort key of readers that are behind: the new ones come after the others, the slower before the faster."""
        if self._behind is None:
            return True, 0.0
        seconds = now - self._behind.since
        taken = self._behind.size - self.unsent
        return seconds < PATIENCE_SECONDS, taken / max(seconds, PATIENCE_SECONDS)

    def end(self, reason: str) -> None:
        log.warning("slow_reader_ended", ip=self._client, unsent_bytes=self.unsent, reason=reason)
        # The kernel holds about as much again, and must not wait for the client either.
        connection: socket.socket | None = self._transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, DISCARD)
        self._transport.abort()


class Backlog:
    """The readers of a worker that are behind, and the memory that it holds for them all.

    The transport reports when a reader falls behind and when it has caught up, so quick readers cost nothing.
    """

    def __init__(self, most: int) -> None:
        self.is_full = False
        self._most = most
        self._readers: dict[Reader, None] = {}

    def add(self, reader: Reader, now: float) -> None:
        """Called while the reader's own answer is being written, which therefore goes on."""
        self._readers[reader] = None
        # At once: the event loop may have many more answers ready to be written before it comes to anything else.
        self.check(now, spared=reader)

    def remove(self, reader: Reader) -> None:
        self._readers.pop(reader, None)
        if self.is_full:
            self.is_full = self._held() > self._most

    def check(self, now: float, *, spared: Reader | None = None) -> None:
        """Disconnect the slowest readers until the worker holds no more than it may. A single reader may have more."""
        held = self._held()
        if held > self._most:
            for reader in sorted(self._readers, key=lambda reader: reader.pace(now)):
                is_new, _ = reader.pace(now)
                if len(self._readers) < 2 or held <= self._most * (2 if is_new else 1):
                    break
                if reader is spared:
                    continue
                held -= reader.unsent
                self._readers.pop(reader)
                reader.end("the worker holds too much that its clients do not read")
        self.is_full = held > self._most

    def _held(self) -> int:
        return sum(reader.unsent for reader in self._readers)


backlog = Backlog(MOST_UNSENT_BYTES)
