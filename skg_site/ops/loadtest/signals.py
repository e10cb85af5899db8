"""Ctrl-C, SIGTERM and the end of a terminal (SIGHUP) for a command that awaits its work, one stage after the other."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")

CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """The stage was told to stop before its end."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


class Signals:
    """A signal ends the stage that is under way; `number` is the last one that came."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._task: asyncio.Task[Any] | None = None
        self._stop_gently: Callable[[], None] | None = None

    @contextmanager
    def caught(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in CAUGHT:
            loop.add_signal_handler(number, self._handle, number)
        try:
            yield
        finally:
            for number in CAUGHT:
                loop.remove_signal_handler(number)

    async def stage(self, work: Coroutine[Any, Any, Result], stop_gently: Callable[[], None] | None = None) -> Result:
        """What the work gives, or Stopped; with `stop_gently` the first signal calls that, the second one cancels."""
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
