"""Closing a connection whose client may still be sending (RFC 9112, 9.6).

If it were closed at once, the kernel would answer later data with a reset, and the client would lose the answer that
explains why. So the sending side is shut down first, and what still arrives is read and discarded.
"""

from asyncio import AbstractEventLoop, Transport
from typing import ClassVar

LINGER_SECONDS = 10.0
LINGER_BYTES = 64 << 20
# A worker that stops waits for these connections.
LEAVING_SECONDS = 1.0
MOST_LINGERING = 256


class Lingering:
    """A connection that has sent its last answer. It ends with its client, after some time, or after some data."""

    # All of the worker, the oldest first.
    _all: ClassVar[dict["Lingering", None]] = {}

    def __init__(self, transport: Transport, loop: AbstractEventLoop, seconds: float) -> None:
        self._transport = transport
        self._left = LINGER_BYTES
        if len(self._all) >= MOST_LINGERING:
            next(iter(self._all)).end()
        self._all[self] = None
        self._timer = loop.call_later(seconds, self.end)
        transport.write_eof()
        transport.resume_reading()

    def discard(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self.end()

    def end(self) -> None:
        self.forget()
        self._transport.close()

    def forget(self) -> None:
        """Called when the connection is closed already."""
        self._all.pop(self, None)
        self._timer.cancel()
