"""The worker and the log that gunicorn uses, as deploy/gunicorn.conf.py configures them."""

import logging
import mmap
import os
import signal
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from uvicorn_worker import UvicornWorker

from skg_site.host.allocator import return_large_blocks
from skg_site.host.processes import STOP_SIGNALS, is_alive

if TYPE_CHECKING:
    # It loads the application's settings, which the master leaves to the workers.
    from skg_site.server.uvicorn_server import WorkerServer

# Time to finish the requests under way after SIGTERM.
GRACEFUL_SECONDS = 18
# The longest time that a worker goes on serving while its successor loads.
RELIEF_SECONDS = 5

# Shared by all processes of the service: the youngest worker that was forked, by gunicorn's count; the process id of
# one that began to load; the youngest that serves; and 1 if one could not start.
_succession = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")
FORKED, LOADING, SERVING, FAILED = range(4)


def end_when_told(*_: object) -> None:
    """Exit: a worker that still loads has nothing to finish. If the signal killed it, gunicorn would log an error."""
    os._exit(0)


def guard_forks() -> None:
    """Called in the master: make sure that no worker misses a stop signal between its fork and its own handlers.

    Until then it would have the master's handlers, which only queue signals for a loop that no worker runs.
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
    """Passes gunicorn's messages on to the service's log."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.propagate = True


class Worker(UvicornWorker):  # type: ignore[misc]  # neither has this
    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "loop": "uvloop",
        "http": "skg_site.server.connections.connection:Connection",
        "ws": "none",
        "lifespan": "on",
        "access_log": False,
        "server_header": False,
        # `skg_site.api.forwarding` does that.
        "proxy_headers": False,
        "timeout_graceful_shutdown": GRACEFUL_SECONDS,
        "timeout_notify": 1,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The parent class disconnects uvicorn's log from the root's handlers. gunicorn logs starts and stops already.
        log = logging.getLogger("uvicorn.error")
        log.propagate = True
        log.setLevel(logging.WARNING)
        self.server: WorkerServer | None = None
        self._told_to_stop: float | None = None
        # This code still runs in the master.
        _succession[FORKED] = self.age

    def init_process(self) -> None:
        _succession[LOADING] = os.getpid()
        return_large_blocks()
        super().init_process()

    def init_signals(self) -> None:
        """Set the handlers. With those of the parent class, a stop signal could kill the worker for a moment."""
        for number in set(self.SIGNALS).difference(STOP_SIGNALS):
            signal.signal(number, signal.SIG_DFL)
        for number in STOP_SIGNALS:
            signal.signal(number, end_when_told)
        signal.signal(signal.SIGUSR1, self.handle_usr1)
        signal.siginterrupt(signal.SIGUSR1, False)

    async def _serve(self) -> None:
        from skg_site.server.uvicorn_server import WorkerServer  # noqa: PLC0415  # as above

        self.config.app = self.wsgi
        self.server = WorkerServer(self.config, is_relieved=self.is_relieved, on_start=self.on_start)
        # The plain sockets: gunicorn's wrappers complain when uvicorn closes a socket that the event loop has closed.
        await self.server.serve(sockets=[listener.sock for listener in self.sockets])
        if not self.server.started:
            # Of several workers that cannot start, one tells the master: a second one would disturb its shutdown.
            is_first = not _succession[FAILED]
            _succession[FAILED] = 1
            raise SystemExit(Arbiter.WORKER_BOOT_ERROR if is_first else 0)

    async def callback_notify(self) -> None:
        """Send the heartbeat to the master, and stop if the master is gone."""
        if self.server is not None and os.getppid() != self.ppid:
            self.server.stop(signal.SIGTERM)
        await super().callback_notify()

    def on_start(self) -> None:
        _succession[SERVING] = max(_succession[SERVING], self.age)

    def is_relieved(self) -> bool:
        """False while a younger worker is still loading to take this one's place.

        On SIGHUP gunicorn stops the old workers as soon as it has forked the new ones. These load for seconds, in which
        clients would wait, and be refused by the kernel once its queue is full.
        """
        now = monotonic()
        if self._told_to_stop is None:
            self._told_to_stop = now
        is_coming = _succession[FORKED] > self.age >= _succession[SERVING] and is_alive(_succession[LOADING])
        return not is_coming or now - self._told_to_stop > RELIEF_SECONDS
