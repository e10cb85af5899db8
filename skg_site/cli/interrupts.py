"""Signals that tell a command to stop: Ctrl-C, SIGTERM, and SIGHUP, which comes when its terminal is closed.

`Interrupts` is for a command that works in the main thread, `StageInterrupts` for one that awaits its work.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from skg_site.cli.exit_codes import after_signal

Result = TypeVar("Result")


def stop_signals() -> list[signal.Signals]:
    """The signals to handle. A command that was started by `nohup` goes on ignoring SIGHUP."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    return numbers if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [*numbers, signal.SIGHUP]


class Interrupted(KeyboardInterrupt):
    """The process was told to stop by the signal `signal_number`."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number

    @property
    def exit_code(self) -> int:
        return after_signal(self.signal_number)


class Interrupts:
    """Raises Interrupted where the process is told to stop, or at the end of the `put_off` block that it is in."""

    def __init__(self) -> None:
        self._put_off = False
        self._pending: int | None = None

    @contextmanager
    def caught(self) -> Iterator[None]:
        """For the main thread of a command."""
        before = {number: signal.signal(number, self._handle) for number in stop_signals()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Finish what must not stop half-way."""
        self._put_off = True
        try:
            yield
        finally:
            self._put_off = False
        if self._pending is not None:
            raise Interrupted(self._pending)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        # A second signal means that the user does not want to wait.
        if self._put_off and self._pending is None:
            self._pending = number
        else:
            raise Interrupted(number)


class Stopped(Exception):
    """A stage was told to stop before its end, by the signal `signal_number`."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


class StageInterrupts:
    """Ends the stage that is under way when a signal comes; `number` is the last signal that came.

    Nothing is raised in the signal handler itself, where it would end the event loop.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._task: asyncio.Task[Any] | None = None
        self._stop_gently: Callable[[], None] | None = None

    @contextmanager
    def caught(self) -> Iterator[None]:
        """For a coroutine in the main thread."""
        loop = asyncio.get_running_loop()
        numbers = stop_signals()
        for number in numbers:
            loop.add_signal_handler(number, self._handle, number)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    async def stage(self, work: Coroutine[Any, Any, Result], stop_gently: Callable[[], None] | None = None) -> Result:
        """The result of the work; raises Stopped. With `stop_gently` the first signal calls it, the second cancels."""
        task = asyncio.create_task(work)
        self._task, self._stop_gently = task, stop_gently
        try:
            return await task
        except asyncio.CancelledError:
            if self.number is None:
                raise
            raise Stopped(self.number) from None

    def _handle(self, number: int) -> None:
        self.number = number
        gentle, self._stop_gently = self._stop_gently, None
        if gentle is not None:
            gentle()
        elif self._task is not None:
            self._task.cancel()
