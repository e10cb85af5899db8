"""A client's connection: uvicorn's, with a gate before the service and an end to all that a client may draw out.

uvicorn itself waits for ever for a request whose head does not end and for a client that does not read, keeps as many
unanswered requests of one connection in memory as are sent, and closes a connection that has just been used when the
service stops.
"""

from collections import deque
from time import perf_counter
from typing import Any, ClassVar, NamedTuple, cast

from django.conf import settings
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from skg_site.api.door import Scope
from skg_site.api.shedding import Gate
from skg_site.overload import gate_for, refusal

# Of what has arrived so much is looked at before it is asked whether there is enough to do already: a request may
# be 18 bytes, and takes some thousands once it is parsed.
PIECE_BYTES = 2048
# What other servers allow for a request's line and headers.
MAX_HEAD_BYTES = 64 * 1024
# A client that takes less than this in so many seconds is taken to have stopped reading.
LEAST_READ_BYTES = 16 * 1024
READ_SECONDS = 15.0

HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
HEAD_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Unsent(NamedTuple):
    """What of the answers was still to be sent, and since when it has been hardly less."""

    since: float
    size: int


class Flow(FlowControl):
    """Reads nothing while there is something left of what was read."""

    def __init__(self, transport: Any, unread: deque[memoryview]) -> None:
        super().__init__(transport)
        self._unread = unread

    def resume_reading(self) -> None:
        if not self._unread:
            super().resume_reading()


class Connection(HttpToolsProtocol):
    # The worker stops: every answer is its connection's last.
    leaving: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unread: deque[memoryview] = deque()
        self._unsent: Unsent | None = None
        # When the request began to arrive that has not arrived whole, and how long its head is by now.
        self._arriving_since: float | None = None
        self._head_bytes = 0
        self._idle_since: float = self.loop.time()
        # Where the request that is being answered counts, and since when.
        self._gate: Gate | None = None
        self._entered: float | None = None

    @property
    def is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.flow = Flow(transport, self._unread)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._entered is not None and self._gate is not None:
            self._gate.abandon()
            self._entered = None
        self._unread.clear()
        super().connection_lost(exc)

    # What arrives

    def data_received(self, data: bytes) -> None:
        if self._unread or self.pipeline or len(data) > PIECE_BYTES:
            view = memoryview(data)
            self._unread.extend(view[start : start + PIECE_BYTES] for start in range(0, len(data), PIECE_BYTES))
            self._take_in()
        else:
            self._feed(data)

    def _take_in(self) -> None:
        """Go on with what was read, until requests wait behind the one that is being answered."""
        while self._unread and not self.pipeline and not self.transport.is_closing():
            self._feed(self._unread.popleft())
        if self.pipeline:
            self.flow.pause_reading()

    def _feed(self, data: bytes | memoryview) -> None:
        super().data_received(data)  # type: ignore[arg-type]  # the parser takes any buffer
        if self._arriving_since is not None:
            self._head_bytes = 0 if self._head_is_complete else self._head_bytes + len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse_rest(HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        self._arriving_since = self.loop.time()
        self._head_bytes = 0
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._arriving_since = None
        super().on_message_complete()
        if self._gate is not None and self._entered is None and not self.pipeline:
            self._enter(self._gate)

    @property
    def _head_is_complete(self) -> bool:
        # It is the first that uvicorn notes of a head that is complete.
        return "method" in self.scope

    # What is answered

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if self.leaving and not self.pipeline:
            cycle.keep_alive = False
        gate = gate_for(cycle.scope["path"])
        if gate is None or not gate.is_full:
            self._gate = gate
            super()._start_asgi_task(cycle, app)
            if gate is not None and not cycle.more_body:
                self._enter(gate)
        else:
            gate.refuse()
            self._refuse(cycle)

    def _enter(self, gate: Gate) -> None:
        """Count a request from when it is all there: a client that is slow to send it keeps nobody else out."""
        gate.enter()
        self._entered = perf_counter()

    def _refuse(self, cycle: RequestResponseCycle) -> None:
        # A client that waits to be told to send its body may or may not send it now.
        keep_alive = cycle.keep_alive and not cycle.waiting_for_100_continue
        cycle.response_started = cycle.response_complete = True
        self.transport.write(refusal(cast("Scope", cycle.scope), cycle.receive, keep_alive=keep_alive))
        if not keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """In place of uvicorn's, which reads on although requests wait, and sets a timer for each answer."""
        if self._entered is not None and self._gate is not None:
            self._gate.leave(perf_counter() - self._entered)
            self._entered = None
        self._gate = None
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self._idle_since = self.loop.time()
        if self._arriving_since is not None:
            # The rest of it may have been here for long, unread.
            self._arriving_since = self._idle_since
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self._unread:
            # Not at once: this may be the parser's own call.
            self.loop.call_soon(self._read_on)
        else:
            self.flow.resume_reading()

    def _read_on(self) -> None:
        self._take_in()
        if not self.pipeline:
            self.flow.resume_reading()

    # What does not come to an end

    def close_after_answer(self) -> None:
        """Let the answer that is under way, if there is one, be the last."""
        if self.is_answering:
            self.cycle.keep_alive = False

    def end_if_overdue(self, now: float) -> None:
        if self._is_not_read(now):
            self.transport.abort()
        elif self.transport.is_closing():
            return
        elif self._arriving_since is not None:
            self._end_if_half_sent(now - self._arriving_since)
        elif not self.is_answering and now - self._idle_since > self.timeout_keep_alive:
            self.transport.close()

    def _is_not_read(self, now: float) -> bool:
        """Whether the client has long left an answer in the transport's memory."""
        size = self.transport.get_write_buffer_size()
        if not size:
            self._unsent = None
        elif self._unsent is None or self._unsent.size - size >= LEAST_READ_BYTES:
            self._unsent = Unsent(now, size)
        return self._unsent is not None and now - self._unsent.since > READ_SECONDS

    def _end_if_half_sent(self, seconds: float) -> None:
        limit = settings.ENV.body_timeout
        if self.is_answering:
            # The API has its own limit for bodies and answers when it is over.
            if self._head_is_complete and seconds > 2 * limit + 1:
                self.transport.close()
        elif seconds > limit:
            self._refuse_rest(HEAD_TIMEOUT)

    def _refuse_rest(self, answer: bytes) -> None:
        """Say what is wrong where that does not break into another answer, and close the connection."""
        if not self.is_answering and not self._head_is_complete:
            self.transport.write(answer)
        self.transport.close()
