"""Flow control of a connection, and the transport that answers are written to."""

from collections import deque
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl


class Flow(FlowControl):
    """Pauses reading while some of what was read is not parsed yet, and after the last byte to be read."""

    def __init__(self, transport: Any, unread: deque[memoryview]) -> None:
        super().__init__(transport)
        self._unread = unread
        # The client has finished sending, or nothing more is accepted from it.
        self.ended = False

    def resume_reading(self) -> None:
        if not self._unread and not self.ended:
            super().resume_reading()


class Outlet:
    """The transport for an answer. Its `close` is the connection's, which closes in stages after the last answer."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: Any, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close
