"""Bodies of requests: the limits of their size and time, and the detection of clients that disconnect."""

import asyncio
from typing import ClassVar, Self

from skg_site.api.asgi_types import Message, Receive
from skg_site.api.problems import BodyTimeout, BodyTooLarge

# A request is watched from its second round on: for a body that does not arrive, and a client that disconnects.
ROUND_SECONDS = 0.05


class ClientGone(Exception):
    """The client disconnected before its response was ready."""


async def body_in_pieces(message: Message, receive: Receive, limit: int) -> bytes:
    """The whole body, of which `message` is the first piece; 413 as soon as it exceeds `limit`."""
    pieces = bytearray()
    while message["type"] == "http.request":
        pieces += message.get("body", b"")
        if len(pieces) > limit:
            raise BodyTooLarge(limit)
        if not message.get("more_body"):
            return bytes(pieces)
        message = await receive()
    raise ClientGone


class Watch:
    """Cancels a request if its body does not arrive in time, or its client disconnects before the response.

    Nearly all requests end before they need a check, so a request has no timer of its own: see `Rounds`.
    """

    def __init__(self, receive: Receive, body_timeout: float) -> None:
        self._receive = receive
        self._body_timeout = body_timeout
        self._reading_since: float | None = None
        self._is_read = self._has_looked = False
        self._ended_by: Exception | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._listener: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(self._loop)
        self._rounds = Rounds.of(self._loop)
        self._rounds.add(self)
        return self

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        self._rounds.remove(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()
        if self._ended_by is not None and self._task is not None and isinstance(error, asyncio.CancelledError):
            self._task.uncancel()
            raise self._ended_by from None

    def reading_begins(self) -> None:
        """Start the time of the body. Until now the request waited for the service."""
        self._reading_since = self._loop.time()
        if self._has_looked:
            self._end_body_in_time()

    def body_is_read(self) -> None:
        """Start to watch the client. Only one task at a time may receive messages."""
        self._is_read = True
        if self._has_looked:
            if self._timer is not None:
                self._timer.cancel()
            self._listener = self._loop.create_task(self._listen())

    def look(self) -> None:
        """Start to watch a request that has lasted for a round."""
        self._has_looked = True
        if self._is_read:
            self._listener = self._loop.create_task(self._listen())
        else:
            self._end_body_in_time()

    def _end_body_in_time(self) -> None:
        if self._reading_since is not None:
            end = self._reading_since + self._body_timeout
            self._timer = self._loop.call_at(end, self._end, BodyTimeout(self._body_timeout))

    async def _listen(self) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._end(ClientGone())

    def _end(self, reason: Exception) -> None:
        self._ended_by = reason
        if self._task is not None:
            self._task.cancel()


class Rounds:
    """Watches the requests of an event loop that have lasted for a round, with one timer for all of them."""

    _latest: ClassVar["Rounds | None"] = None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._new: dict[Watch, None] = {}
        self._old: dict[Watch, None] = {}
        self._is_going = False

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> "Rounds":
        """The rounds of this loop; a process has one loop at a time."""
        if cls._latest is None or cls._latest._loop is not loop:
            cls._latest = cls(loop)
        return cls._latest

    def add(self, watch: Watch) -> None:
        self._new[watch] = None
        if not self._is_going:
            self._is_going = True
            self._loop.call_later(ROUND_SECONDS, self._go_round)

    def remove(self, watch: Watch) -> None:
        if self._new.pop(watch, self) is self:
            self._old.pop(watch, None)

    def _go_round(self) -> None:
        for watch in self._old:
            watch.look()
        self._old, self._new = self._new, {}
        self._is_going = bool(self._old)
        if self._is_going:
            self._loop.call_later(ROUND_SECONDS, self._go_round)
