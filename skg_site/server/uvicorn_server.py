"""uvicorn's server inside a worker: it enforces the limits of connections, and answers everybody before it stops."""

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

from skg_site.host.processes import STOP_SIGNALS
from skg_site.server.connections.connection import Connection
from skg_site.server.connections.slow_readers import backlog
from skg_site.server.overload import adjust_gates

# The period of uvicorn's main loop.
TICK_SECONDS = 0.1
TICKS_BETWEEN_CHECKS = 10
# A client is likely to use its connection again before it can know that the worker stops; the connection is closed
# with that answer. Connections that are not used for this long are closed without one.
LINGER_SECONDS = 1.0
LINGER_ROUNDS = 20
# An event loop that is later than this is late in accepting connections, too.
LATE_SECONDS = 0.02
MOST_ACCEPTED = 32
SWITCH_SECONDS = 0.0005
# Time to finish the requests under way after Ctrl-C.
QUICK_SECONDS = 1


class WorkerServer(Server):
    """Exits with code 0 when it is told to stop.

    uvicorn raises the signal again after it has stopped, which gunicorn would log as a killed worker.
    """

    def __init__(self, config: Config, *, is_relieved: Callable[[], bool], on_start: Callable[[], None]) -> None:
        """`is_relieved` returns False while a stop must wait for the worker that is to take over."""
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
        # Ctrl-C comes twice, from the terminal and from gunicorn. Python's own handler must not get the second.
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
        # While the event loop is always busy, a thread of the store waits this long for Python's lock, several times
        # for each read: with the usual 5 ms, nothing would be answered in an overload.
        sys.setswitchinterval(SWITCH_SECONDS)
        self._accepting: set[asyncio.Task[object]] = set()
        self.config.http_protocol_class = cast("type[Connection]", self._connect_with_others)
        await super().startup(sockets)
        self._on_start()

    def _connect(self) -> Connection:
        return Connection(self.config, self.server_state, self.lifespan.state)

    def _connect_with_others(self, **_: object) -> Connection:
        """Make a connection for a client that the event loop has accepted, and accept others that are waiting.

        The event loop accepts one client in each iteration, which leaves the next to a worker that may be less busy.
        But while its iterations are slow, new clients would wait for seconds without anybody noticing.
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
        # The client may be gone by then, which is no error.
        if not task.cancelled():
            task.exception()

    async def on_tick(self, counter: int) -> bool:
        now = asyncio.get_running_loop().time()
        if self._last_tick is not None:
            elapsed = now - self._last_tick
            # The loop is as late for arriving data as it was for this timer.
            self._lag = max(0.0, elapsed - TICK_SECONDS)
            adjust_gates(elapsed, self._lag)
        self._last_tick = now
        if counter % TICKS_BETWEEN_CHECKS == 0:
            for connection in self._connections:
                connection.end_if_overdue(now)
            backlog.check(now)
        must_stop = await super().on_tick(counter)
        return must_stop and (self._quickly or self._is_relieved())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if not self._quickly:
            self._take_over_the_last()
            await self._finish_connections()
        await super().shutdown(sockets)

    def _take_over_the_last(self) -> None:
        """Accept the connections that wait in the kernel: they would be lost with the listener."""
        for listener in self._listeners:
            self._take_over(_waiting(listener))
        for server in self.servers:
            server.close()

    async def _finish_connections(self) -> None:
        Connection.leaving = True
        for connection in self._connections:
            connection.close_after_answer()
        # A number of rounds, not a time: even on a busy machine, whatever has arrived is read in between.
        for _ in range(LINGER_ROUNDS):
            if self._quickly or not (self._connections or self._accepting):
                return
            await asyncio.sleep(LINGER_SECONDS / LINGER_ROUNDS)

    @property
    def _connections(self) -> list[Connection]:
        return cast("list[Connection]", list(self.server_state.connections))


def _waiting(listener: socket.socket) -> Iterator[socket.socket]:
    """The connections that wait in the kernel to be accepted."""
    with suppress(BlockingIOError):
        while True:
            yield listener.accept()[0]
