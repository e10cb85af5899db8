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


def end_when_told(*_: object) -> None:
    """A worker that still loads has nothing to finish. Killed by the signal, it would be logged as an accident."""
    os._exit(0)


def guard_forks() -> None:
    """For the master: let no worker miss the signal to stop between its fork and its own handlers.

    Until then it would have the master's, which only take note of signals for a loop that runs in no worker.
    """

    def hold() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)

    def release() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def begin() -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, end_when_told)
        release()

    os.register_at_fork(before=hold, after_in_parent=release, after_in_child=begin)


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
        """Not the parent's, with which a signal to stop would for a moment be a killed worker."""
        for number in set(self.SIGNALS).difference(STOP_SIGNALS):
            signal.signal(number, signal.SIG_DFL)
        for number in STOP_SIGNALS:
            signal.signal(number, end_when_told)
        signal.signal(signal.SIGUSR1, self.handle_usr1)
        signal.siginterrupt(signal.SIGUSR1, False)

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
