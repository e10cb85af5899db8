"""How gunicorn runs the service: its worker and its log, fitted to what deploy/gunicorn.conf.py asks for."""

import asyncio
import logging
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, ClassVar

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from uvicorn.server import Server
from uvicorn_worker import UvicornWorker

# Time for the requests under way, after SIGTERM and after Ctrl-C.
GRACEFUL_SECONDS = 20
QUICK_SECONDS = 1

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class Log(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Hands gunicorn's lines to the service's log."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.propagate = True


class _Server(Server):
    """uvicorn, ending with exit code 0 when it is told to stop.

    uvicorn raises the signal again after it has stopped, which gunicorn would log as a worker killed.
    """

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
            self.config.timeout_graceful_shutdown = QUICK_SECONDS


class Worker(UvicornWorker):  # type: ignore[misc]  # neither has this
    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "loop": "uvloop",
        "http": "httptools",
        "ws": "none",
        "lifespan": "on",
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": GRACEFUL_SECONDS,
        "timeout_notify": 1,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The parent cuts uvicorn's log off from the root's handlers. Starts and stops gunicorn tells already.
        log = logging.getLogger("uvicorn.error")
        log.propagate = True
        log.setLevel(logging.WARNING)
        self.server = _Server(self.config)

    def init_signals(self) -> None:
        super().init_signals()
        # A worker that still loads has nothing to finish. Killed by the signal, it would be logged as an accident.
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: os._exit(0))

    async def _serve(self) -> None:
        self.config.app = self.wsgi
        # Not gunicorn's wrappers, which complain when uvicorn closes a socket that the event loop has closed.
        await self.server.serve(sockets=[listener.sock for listener in self.sockets])
        if not self.server.started:
            raise SystemExit(Arbiter.WORKER_BOOT_ERROR)

    async def callback_notify(self) -> None:
        """Give the master its sign of life, and stop when there is no master to give it to."""
        if os.getppid() != self.ppid:
            self.server.stop(signal.SIGTERM)
        await super().callback_notify()
