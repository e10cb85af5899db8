"""What goes in and out of a connection: when to read, and where answers are written."""

from collections import deque
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl


class Flow(FlowControl):
    """Reads nothing while something of what was read is left, nor after the last that is to be read."""

    def __init__(self, transport: Any, unread: deque[memoryview]) -> None:
        super().__init__(transport)
        self._unread = unread
        # The client has said that it sends no more, or nothing more is taken from it.
        self.ended = False

    def resume_reading(self) -> None:
        if not self._unread and not self.ended:
            super().resume_reading()


class Outlet:
    """The transport as an answer sees it; after the last answer it is the connection that closes, in stages."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: Any, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close
