"""How gunicorn runs the service: its worker and its log, fitted to what deploy/gunicorn.conf.py asks for."""

import logging
import mmap
import os
import signal
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from uvicorn_worker import UvicornWorker

from skg_site.server.stop_signals import STOP_SIGNALS

if TYPE_CHECKING:
    # It loads the application's settings, which the master leaves to the workers.
    from skg_site.server.uvicorn_server import WorkerServer

# Time for the requests under way after SIGTERM.
GRACEFUL_SECONDS = 18
# A worker that is to be replaced goes on for at most so long while its successor loads.
RELIEF_SECONDS = 5

# What every process of the service can see: the youngest worker that was forked, by gunicorn's count, the process id
# of one that began to load, the youngest that serves, and whether one could not begin.
_succession = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")
FORKED, LOADING, SERVING, FAILED = range(4)


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
        # The parent cuts uvicorn's log off from the root's handlers. Starts and stops gunicorn tells already.
        log = logging.getLogger("uvicorn.error")
        log.propagate = True
        log.setLevel(logging.WARNING)
        self.server: WorkerServer | None = None
        self._told_to_stop: float | None = None
        # This is still the master.
        _succession[FORKED] = self.age

    def init_process(self) -> None:
        _succession[LOADING] = os.getpid()
        super().init_process()

    def init_signals(self) -> None:
        """Not the parent's, with which a signal to stop would for a moment be a killed worker."""
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
        # Not gunicorn's wrappers, which complain when uvicorn closes a socket that the event loop has closed.
        await self.server.serve(sockets=[listener.sock for listener in self.sockets])
        if not self.server.started:
            # Of several that cannot begin, one tells the master: while it halts, it would stumble over a second.
            is_first = not _succession[FAILED]
            _succession[FAILED] = 1
            raise SystemExit(Arbiter.WORKER_BOOT_ERROR if is_first else 0)

    async def callback_notify(self) -> None:
        """Give the master its sign of life, and stop when there is no master to give it to."""
        if self.server is not None and os.getppid() != self.ppid:
            self.server.stop(signal.SIGTERM)
        await super().callback_notify()

    def on_start(self) -> None:
        _succession[SERVING] = max(_succession[SERVING], self.age)

    def is_relieved(self) -> bool:
        """Whether no younger worker is still on its way to take this one's place.

        gunicorn stops the old workers as soon as it has forked the new ones (SIGHUP). These load for seconds, in which
        clients would wait, and be refused by the kernel once its queue is full.
        """
        now = monotonic()
        if self._told_to_stop is None:
            self._told_to_stop = now
        is_coming = _succession[FORKED] > self.age >= _succession[SERVING] and is_alive(_succession[LOADING])
        return not is_coming or now - self._told_to_stop > RELIEF_SECONDS


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True
