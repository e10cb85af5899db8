"""A client's connection: uvicorn's, with admission control, and with a time limit for everything a client may delay.

uvicorn itself waits for ever for the end of a head and for a client that does not read. It keeps any number of
unanswered requests of one connection in memory, takes trailers for headers, loses the body of a request that offers
another protocol, and closes a connection that has just been used when the service stops.
"""

from time import perf_counter
from typing import Any, ClassVar, cast

import structlog
from django.conf import settings
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable
from uvicorn._types import Scope as ASGIScope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from skg_site.api.asgi_types import Scope
from skg_site.api.load_shedding import Gate
from skg_site.api.problems import BodyTimeout, HeadTimeout, Problem
from skg_site.api.request import STREAMED
from skg_site.observe.request_log import ANSWERED
from skg_site.server.connections.incoming_requests import IncomingRequests
from skg_site.server.connections.lingering import LEAVING_SECONDS, LINGER_SECONDS, Lingering
from skg_site.server.connections.problem_answers import LastAnswer, answer_with, partial_scope
from skg_site.server.connections.slow_readers import Reader, backlog
from skg_site.server.overload import TOO_MUCH_UNREAD, gate_for, is_perhaps_large, reason_to_refuse

log = structlog.get_logger("skg.connections")

# Clients skip it. If the client is gone, its kernel answers with a reset.
STILL_WORKING = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(IncomingRequests):
    # The worker is stopping: every answer is the last of its connection.
    leaving: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle_since: float = self.loop.time()
        # The request that is being answered, its gate, and the time at which it entered.
        self._current: RequestResponseCycle | None = None
        self._gate: Gate | None = None
        self._entered: float | None = None
        # The stages of the end: the client has shut down its sending side; the last answer is to be sent; it is sent.
        self._client_is_done = False
        self._last: LastAnswer | None = None
        self._lingering: Lingering | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._reader = Reader(transport, self.client[0] if self.client else "", self.loop)

    @property
    def is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    @property
    def is_ending(self) -> bool:
        return self._lingering is not None or self.transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._entered is not None and self._gate is not None:
            self._gate.abandon()
            self._entered = None
        if self._lingering is not None:
            self._lingering.forget()
        if self._current is not None and not self._current.response_complete:
            # uvicorn notifies only the last request.
            self._current.disconnected = True
            self._current.message_event.set()
        self._reader.has_caught_up()
        self._forget_unread()
        self._release_body()
        super().connection_lost(exc)

    # What arrives

    def data_received(self, data: bytes) -> None:
        if self._lingering is not None:
            self._lingering.discard(data)
        elif not self.flow.ended:
            super().data_received(data)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self._gate is not None and self._entered is None and not self.pipeline:
            self._enter(self._gate)

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn keeps no connection open
        """The client sends no more. It may still wait for answers, or be gone, which shows when something is sent."""
        if self.is_ending:
            return False
        self._client_is_done = self.flow.ended = True
        return bool(self._unread) or self._forget_incomplete()

    def _forget_incomplete(self) -> bool:
        """Drop a request that will never be complete. Returns True if there are others to be answered."""
        if self._arriving_since is not None and self.head_is_complete:
            if self.pipeline:
                self._drop_newest()
            elif self.is_answering:
                # Closing the connection tells the application.
                return False
        self._arriving_since = None
        return self.is_answering

    def _drop_newest(self) -> None:
        self.pipeline.popleft()
        self.cycle = self.pipeline[0][0] if self.pipeline else cast("RequestResponseCycle", self._current)

    def _stop_taking(self) -> None:
        self._forget_unread()
        self._release_body()
        self._arriving_since = None
        self._is_refusing = self.flow.ended = True
        self.flow.pause_reading()

    def _take_no_more(self) -> None:
        """Answer the complete requests, then close: the client has sent too many ahead of its answers."""
        log.warning("connection_cut", reason="clients have sent more requests ahead of their answers than can be kept")
        if self._forget_incomplete():
            self.cycle.keep_alive = False
            self._stop_taking()
        else:
            self._stop_taking()
            self.close()

    def refuse_rest(self, problem: Problem) -> None:
        if self._last is not None or self.is_ending:
            return
        has_head = self._arriving_since is not None and self.head_is_complete
        self._stop_taking()
        cycle: RequestResponseCycle = self.cycle
        if not has_head:
            self._last = LastAnswer(problem, partial_scope(cast("Scope | None", self.scope) or {}, self.url))
        elif self.pipeline:
            self._last = LastAnswer(problem, cast("Scope", cycle.scope))
            self._drop_newest()
        elif not cycle.response_started:
            self._answer_with(problem, cycle, keep_alive=False)
        else:
            # The answer that it already gets is enough.
            cycle.keep_alive = False
        if not self.is_answering:
            self._end()

    # What is answered

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if self.leaving and not self.pipeline:
            cycle.keep_alive = False
        self._current = cycle
        path = cycle.scope["path"]
        gate = gate_for(path)
        if gate is None or not (gate.is_full or backlog.is_full) or not (problem := reason_to_refuse(gate, path)):
            self._gate = gate
            super()._start_asgi_task(cycle, self._answer)
            if gate is not None and not cycle.more_body:
                self._enter(gate)
        else:
            self._refuse(problem, cycle)

    async def _answer(self, scope: ASGIScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        cycle = cast("RequestResponseCycle", self._current)
        # Requests that came together were all admitted before the first of them was answered.
        if backlog.is_full and self._gate is not None and is_perhaps_large(cycle.scope["path"]):
            self._refuse(TOO_MUCH_UNREAD, cycle)
        else:
            await self.app(scope, receive, send)

    def _refuse(self, problem: Problem, cycle: RequestResponseCycle) -> None:
        # A client that waits for "100 Continue" may or may not send its body now.
        keep_alive = cycle.keep_alive and not cycle.waiting_for_100_continue
        self._answer_with(problem, cycle, keep_alive=keep_alive)

    def _enter(self, gate: Gate) -> None:
        """Count a request from the time at which it is complete: slow senders keep nobody else out."""
        gate.enter()
        self._entered = perf_counter()

    def _answer_with(self, problem: Problem, cycle: RequestResponseCycle, *, keep_alive: bool) -> None:
        """Answer a request in place of the application, which is told that the client is gone."""
        cycle.response_started = cycle.response_complete = cycle.disconnected = True
        cast("Scope", cycle.scope)[ANSWERED] = True
        cycle.message_event.set()
        self.transport.write(answer_with(problem, cycle.scope, keep_alive=keep_alive))
        if not keep_alive:
            self.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """Replaces uvicorn's method, which reads on while requests wait, and sets a timer for each answer."""
        if self._entered is not None and self._gate is not None:
            self._gate.leave(perf_counter() - self._entered)
            self._entered = None
        self._gate = None
        self.server_state.total_requests += 1
        if self.is_ending:
            return
        self._idle_since = self.loop.time()
        if self._arriving_since is not None:
            # The rest of it may have been waiting unread.
            self._arriving_since = self._idle_since
            self._release_body()
        has_next = bool(self.pipeline)
        if has_next:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        if self.pipeline:
            return
        if self._unread:
            # The body of the next request may be in it. Later, since this may be a call from within the parser.
            self.loop.call_soon(self._read_on)
        elif not has_next and self.flow.ended:
            self._end()
        elif not has_next:
            self.flow.resume_reading()

    def _read_on(self) -> None:
        if self.is_ending:
            return
        self._take_in()
        if self._client_is_done and not self._unread:
            if not self._forget_incomplete():
                self.close()
        elif not self.pipeline:
            self.flow.resume_reading()

    # How it ends

    def _end(self) -> None:
        if self._last is not None and not self.is_ending:
            problem, scope = self._last
            self.transport.write(answer_with(problem, scope, keep_alive=False))
        self.close()

    def close(self) -> None:
        """Close the connection after its last answer, in stages if the client may still be sending."""
        if self.is_ending:
            return
        is_sending = self.flow.ended or self._arriving_since is not None or self._unread or self.leaving
        if is_sending and not self._client_is_done:
            self._stop_taking()
            seconds = LEAVING_SECONDS if self.leaving else LINGER_SECONDS
            self._lingering = Lingering(self.transport, self.loop, seconds)
        else:
            self.transport.close()

    def shutdown(self) -> None:
        if self._lingering is not None:
            self._lingering.end()
        else:
            super().shutdown()

    def close_after_answer(self) -> None:
        """Make the answer that is under way, if there is one, the last."""
        if self.is_answering:
            self.cycle.keep_alive = False

    # What does not come to an end

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader.falls_behind()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reader.has_caught_up()

    def end_if_overdue(self, now: float) -> None:
        if self._current is not None and self.is_answering and STREAMED in self._current.scope:
            # The application itself limits the time of each piece of a body or of an answer.
            return
        if self._reader.has_stopped(now):
            self._reader.end("it hardly reads")
        elif self.is_ending:
            return
        elif self._client_is_done:
            self._ask_whether_client_is_gone()
        elif self._arriving_since is not None:
            self._end_if_half_sent(now - self._arriving_since)
        elif not self.is_answering and now - self._idle_since > self.timeout_keep_alive:
            self.transport.close()

    def _ask_whether_client_is_gone(self) -> None:
        current = self._current
        if current is not None and not current.response_started and current.scope["http_version"] == "1.1":
            self.transport.write(STILL_WORKING)

    def _end_if_half_sent(self, seconds: float) -> None:
        limit = settings.ENV.body_timeout
        if not self.is_answering:
            if seconds > limit:
                self.refuse_rest(HeadTimeout(limit))
        elif self.head_is_complete and seconds > 2 * limit + 1:
            # The API has its own time limit for bodies, and answers when it is over.
            self.refuse_rest(BodyTimeout(limit))
