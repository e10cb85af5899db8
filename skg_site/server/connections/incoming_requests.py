"""The incoming side of a connection: requests are parsed piece by piece, and refused if they are malformed."""

import asyncio
from collections import deque
from typing import Any

import httptools
from django.conf import settings
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from skg_site.api.problems import BadRequest, BodyTooLarge, HeadTooLarge, Problem
from skg_site.api.request import STREAMED
from skg_site.server.connections.cycles import Cycle
from skg_site.server.connections.expect_continue import ExpectingCycle
from skg_site.server.connections.flow_control import Flow, Outlet
from skg_site.server.connections.memory_budgets import SITE_BODIES, UNREAD, Share, bodies_of
from skg_site.server.connections.request_heads import TRAILERS, head_without_upgrade, put_host, target_of
from skg_site.server.overload import TOO_MUCH_UNFINISHED

# The usual limit for a request's line and headers. It also applies between two bytes of a chunked body, and to the
# trailers after it.
MAX_HEAD_BYTES = 64 * 1024
# Received data is parsed in pieces of this size, until requests are waiting: a request may be 18 bytes long, and takes
# some thousands once it is parsed.
PIECE_BYTES = 2048
VERSIONS = frozenset({"1.0", "1.1"})


class Ended(Exception):
    """The connection has sent its last answer."""


class IncomingRequests(HttpToolsProtocol):
    """uvicorn's protocol from bytes to requests, with limits, and without upgrades to other protocols."""

    flow: Flow

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unread: deque[memoryview] = deque()
        # Of the incomplete request: the time at which it began to arrive, the bytes of its body so far, and the other
        # bytes since its last byte of body.
        self._arriving_since: float | None = None
        self._body_bytes = 0
        self._other_bytes = 0
        self._body: Share | None = None
        # Nothing more is accepted from the client.
        self._is_refusing = False
        self._kept = Share(UNREAD)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.flow = Flow(transport, self._unread)
        self._outlet: Any = Outlet(transport, self.close)

    def close(self) -> None:
        """Close the connection after its last answer."""
        raise NotImplementedError

    def refuse_rest(self, problem: Problem) -> None:
        """Answer the arriving request with a problem, and accept nothing more."""
        raise NotImplementedError

    @property
    def head_is_complete(self) -> bool:
        """True if the head of the arriving request is complete."""
        return "method" in self.scope

    @property
    def is_ending(self) -> bool:
        """True if the last answer has been sent."""
        return self.transport.is_closing()

    def data_received(self, data: bytes) -> None:
        if self._unread or self.pipeline or len(data) > PIECE_BYTES:
            view = memoryview(data)
            self._unread.extend(view[start : start + PIECE_BYTES] for start in range(0, len(data), PIECE_BYTES))
            self._take_in()
            if self._unread and not self._kept.hold(self._kept.size + len(data)):
                self._take_no_more()
        else:
            self._feed(data)

    def _take_in(self) -> None:
        """Parse what was read, until requests wait behind the one that is being answered."""
        while self._unread and not self.pipeline and not self.is_ending:
            self._feed(self._unread.popleft())
        if not self._unread:
            self._kept.release()
        if self.pipeline:
            self.flow.pause_reading()

    def _take_no_more(self) -> None:
        """Accept nothing more, since the client has sent too many requests ahead of its answers."""
        raise NotImplementedError

    def _forget_unread(self) -> None:
        self._unread.clear()
        self._kept.release()

    def _feed(self, data: bytes | memoryview) -> None:
        self._parse(data)
        if self._arriving_since is not None:
            self._check_arriving(len(data))

    def _parse(self, data: bytes | memoryview) -> None:
        offered_at: int | None = None
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            offered_at = offer.args[0]
        except httptools.HttpParserError as error:
            self._refuse_for(error)
        if offered_at is not None:
            # Not in the handler above: its exception would become the context of others.
            self._go_on_without_upgrade(data[offered_at:])

    def _refuse_for(self, error: httptools.HttpParserError) -> None:
        cause = error.__context__
        if isinstance(cause, Ended):
            return
        if isinstance(cause, Problem):
            self.refuse_rest(cause)
        elif isinstance(error, httptools.HttpParserCallbackError):
            # An error of the service itself.
            raise error
        else:
            self.refuse_rest(BadRequest(f"What arrived is not a request of HTTP/1.1: {str(error).rstrip('.')}."))

    def _go_on_without_upgrade(self, rest: bytes | memoryview) -> None:
        """Parse the request as if it did not offer another protocol (RFC 9110, 7.8).

        The parser ends a request after such a head, even if it has a body. So a new parser gets the head without the
        offer.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.refuse_rest(BadRequest("This service is no proxy and takes no CONNECT."))
            return
        head = head_without_upgrade(method, self.url, self.parser.get_http_version(), self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._parse(head)
        if rest and not self._is_refusing:
            self._parse(rest)

    def _check_arriving(self, size: int) -> None:
        self._other_bytes += size
        if self._other_bytes > MAX_HEAD_BYTES:
            self.refuse_rest(HeadTooLarge(MAX_HEAD_BYTES))
        elif self.head_is_complete and not self.cycle.response_complete:
            self._hold_body()

    def _hold_body(self) -> None:
        if self._body is None:
            self._body = Share(bodies_of(self.cycle.scope["path"]))
        limit = settings.ENV.max_body_bytes
        streams = STREAMED in self.cycle.scope
        # The API checks this limit itself, when it knows the caller, as `skg_site.server.uploads` does for the admin.
        if self._body_bytes > limit and self._body.budget is SITE_BODIES and not streams:
            self.refuse_rest(BodyTooLarge(limit))
        elif not self._body.hold(len(self.cycle.body) if streams else self._body_bytes):
            self.refuse_rest(TOO_MUCH_UNFINISHED)

    def _release_body(self) -> None:
        if self._body is not None:
            self._body.release()
            self._body = None

    # The parser calls these.

    def on_message_begin(self) -> None:
        if self.is_ending:
            # Requests after the last one, in the same piece, get no answer and so must not be carried out.
            raise Ended
        self._arriving_since = self.loop.time()
        self._body_bytes = self._other_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Replaces uvicorn's method, which does not handle all forms of a target."""
        parser = self.parser
        if parser.should_upgrade():
            # The parser stops after this head.
            return
        version = parser.get_http_version()
        if version not in VERSIONS:
            raise BadRequest(f"This service speaks HTTP/1.1, not HTTP/{version}.")
        target = target_of(self.url)
        scope: Any = self.scope
        scope["path"] = self.root_path + target.path
        scope["raw_path"] = self.root_path.encode("ascii") + target.raw_path
        scope["query_string"] = target.query
        if version != "1.1":
            scope["http_version"] = version
        if target.host is not None:
            put_host(self.headers, target.host)
        scope["method"] = parser.get_method().decode("ascii")
        self.headers = TRAILERS
        self._other_bytes = 0
        # A client of HTTP/1.0 cannot be told to go on.
        is_expecting = self.expect_100_continue and version != "1.0"
        previous: RequestResponseCycle | None = self.cycle
        self.cycle = (ExpectingCycle if is_expecting else Cycle)(
            scope=scope,
            transport=self._outlet,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=is_expecting,
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if previous is None or previous.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        cycle: RequestResponseCycle = self.cycle
        self._other_bytes = 0
        if cycle.response_complete:
            return
        self._body_bytes += len(body)
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._arriving_since = None
        self._release_body()
        if not self.cycle.response_complete:
            self.cycle.more_body = False
            self.cycle.message_event.set()
