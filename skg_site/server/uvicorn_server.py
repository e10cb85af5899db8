"""uvicorn's server inside a worker: it looks after its connections, and leaves nobody unanswered when it stops."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import cast

from uvicorn.config import Config
from uvicorn.server import Server

from skg_site.server.connections.connection import Connection
from skg_site.server.connections.unsent import backlog
from skg_site.server.overload import adjust_gates
from skg_site.server.stop_signals import STOP_SIGNALS

# How often uvicorn's main loop comes round.
TICK_SECONDS = 0.1
TICKS_BETWEEN_LOOKS = 10
# A connection that is in use is likely to be used again before its client can know that the worker stops: it is
# closed with the answer to that. Only those that are not used for so long are closed without one.
LINGER_SECONDS = 1.0
LINGER_ROUNDS = 20
# A loop that is later than this is late for those who want to connect, too.
LATE_SECONDS = 0.02
MOST_ACCEPTED = 32
SWITCH_SECONDS = 0.0005
# Time for the requests under way after Ctrl-C.
QUICK_SECONDS = 1


class WorkerServer(Server):
    """Ends with exit code 0 when it is told to stop.

    uvicorn raises the signal again after it has stopped, which gunicorn would log as a worker killed.
    """

    def __init__(self, config: Config, *, is_relieved: Callable[[], bool], on_start: Callable[[], None]) -> None:
        """`is_relieved` says whether a stop may begin, or a worker that is to take over is still on its way."""
        super().__init__(config)
        self._is_relieved = is_relieved
        self._on_start = on_start
        self._last_tick: float | None = None
        self._lag = 0.0
        self._quickly = False

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self.stop, number)
        yield
        # Ctrl-C comes twice, from the terminal and from gunicorn, and the second must not find Python's own handler.
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)

    def stop(self, number: int) -> None:
        self.should_exit = True
        if number != signal.SIGTERM:
            self._quickly = True
            self.config.timeout_graceful_shutdown = QUICK_SECONDS

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._listeners = sockets or []
        # While there is always something for the loop to do, a thread of the store waits this long for Python's lock,
        # several times for each read: with the 5 ms that are usual, nothing would be answered in an overload.
        sys.setswitchinterval(SWITCH_SECONDS)
        self._accepting: set[asyncio.Task[object]] = set()
        self.config.http_protocol_class = cast("type[Connection]", self._connect_with_others)
        await super().startup(sockets)
        self._on_start()

    def _connect(self) -> Connection:
        return Connection(self.config, self.server_state, self.lifespan.state)

    def _connect_with_others(self, **_: object) -> Connection:
        """A connection for one that the event loop has accepted, and others for those that wait behind it.

        The event loop accepts one each time it comes round, which leaves the next to a worker that may be less
        busy. But where it does not come round often, new clients would wait for seconds without anybody noticing.
        """
        if self._lag > LATE_SECONDS:
            for listener in self._listeners:
                self._take_over(islice(_waiting(listener), MOST_ACCEPTED))
        return self._connect()

    def _take_over(self, connections: Iterable[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        for connection in connections:
            task = loop.create_task(loop.connect_accepted_socket(self._connect, connection))
            self._accepting.add(task)
            task.add_done_callback(self._taken_over)

    def _taken_over(self, task: asyncio.Task[object]) -> None:
        self._accepting.discard(task)
        # A client may have gone by then, which nobody need know.
        if not task.cancelled():
            task.exception()

    async def on_tick(self, counter: int) -> bool:
        now = asyncio.get_running_loop().time()
        if self._last_tick is not None:
            elapsed = now - self._last_tick
            # The loop came to this timer as late as it comes to what arrives.
            self._lag = max(0.0, elapsed - TICK_SECONDS)
            adjust_gates(elapsed, self._lag)
        self._last_tick = now
        if counter % TICKS_BETWEEN_LOOKS == 0:
            for connection in self._connections:
                connection.end_if_overdue(now)
            backlog.look(now)
        told = await super().on_tick(counter)
        return told and (self._quickly or self._is_relieved())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if not self._quickly:
            self._take_over_the_last()
            await self._let_clients_go()
        await super().shutdown(sockets)

    def _take_over_the_last(self) -> None:
        """Take the connections that the kernel has made and nobody has taken: they are lost with the listener."""
        for listener in self._listeners:
            self._take_over(_waiting(listener))
        for server in self.servers:
            server.close()

    async def _let_clients_go(self) -> None:
        Connection.leaving = True
        for connection in self._connections:
            connection.close_after_answer()
        # Counted and not timed: whatever has arrived is read in between, also where the machine is busy.
        for _ in range(LINGER_ROUNDS):
            if self._quickly or not (self._connections or self._accepting):
                return
            await asyncio.sleep(LINGER_SECONDS / LINGER_ROUNDS)

    @property
    def _connections(self) -> list[Connection]:
        return cast("list[Connection]", list(self.server_state.connections))


def _waiting(listener: socket.socket) -> Iterator[socket.socket]:
    """The connections that wait to be accepted."""
    with suppress(BlockingIOError):
        while True:
            yield listener.accept()[0]
