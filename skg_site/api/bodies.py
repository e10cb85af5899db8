"""How a request's body is read: up to a size, and not for ever; and how a client that goes away is noticed."""

import asyncio
from typing import TYPE_CHECKING, Self

from skg_site.api.problems import BodyTimeout, BodyTooLarge

if TYPE_CHECKING:
    from skg_site.api.door import APIRequest, Receive

# A request that takes longer than this is worth watching: for a body that does not come, a client that went away.
WATCH_AFTER_SECONDS = 0.1


class ClientGone(Exception):
    """The client closed the connection before its answer was ready."""


async def read_body(request: "APIRequest", limit: int) -> bytes:
    """The whole body; 413 as soon as it is known to be larger than `limit`."""
    declared = request.header(b"content-length")
    # Beyond 18 digits no limit needs comparing, and Python would not even read the number.
    if declared is not None and declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
        raise BodyTooLarge(limit)
    message = await request.receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        # Nearly every body comes in one piece, which need not be copied.
        if len(body := message.get("body", b"")) > limit:
            raise BodyTooLarge(limit)
        return bytes(body)
    pieces = bytearray()
    while message["type"] == "http.request":
        pieces += message.get("body", b"")
        if len(pieces) > limit:
            raise BodyTooLarge(limit)
        if not message.get("more_body"):
            return bytes(pieces)
        message = await request.receive()
    raise ClientGone


class Watch:
    """Ends what runs under it when its body does not arrive in time, or its client goes away before the answer.

    One timer is set for both, and nothing else, since nearly every request is answered before that runs out.
    """

    def __init__(self, receive: "Receive", body_timeout: float) -> None:
        self._receive = receive
        self._body_timeout = body_timeout
        self._is_reading = self._is_read = self._has_looked = False
        self._ended_by: Exception | None = None
        self._listener: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(self._loop)
        self._timer = self._loop.call_later(min(WATCH_AFTER_SECONDS, self._body_timeout), self._look)
        return self

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()
        if self._ended_by is not None and self._task is not None and isinstance(error, asyncio.CancelledError):
            self._task.uncancel()
            raise self._ended_by from None

    def reading_begins(self) -> None:
        """From here on the body has its time; until then the request waited for something of the service's."""
        self._is_reading = True
        if self._has_looked:
            self._end_body_after(self._body_timeout)

    def body_is_read(self) -> None:
        """From here on the client is watched: whoever receives takes a message away from everybody else."""
        self._is_read = True
        if self._has_looked:
            self._timer.cancel()
            self._listener = self._loop.create_task(self._listen())

    def _look(self) -> None:
        self._has_looked = True
        if self._is_read:
            self._listener = self._loop.create_task(self._listen())
        elif self._is_reading:
            self._end_body_after(max(0.0, self._body_timeout - WATCH_AFTER_SECONDS))

    def _end_body_after(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._end, BodyTimeout(self._body_timeout))

    async def _listen(self) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._end(ClientGone())

    def _end(self, reason: Exception) -> None:
        self._ended_by = reason
        if self._task is not None:
            self._task.cancel()
