"""Ctrl-C and SIGTERM, put off while something is under way that should not stop half-way."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """The process was told to stop; `signal_number` says by which signal."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number

    @property
    def exit_code(self) -> int:
        """What a shell shows for a process that this signal ended."""
        return 128 + self.signal_number


class Interrupts:
    """Raises Interrupted where the process is told to stop, or behind the `put_off` that it is in."""

    def __init__(self) -> None:
        self._put_off = False
        self._pending: int | None = None

    @contextmanager
    def caught(self) -> Iterator[None]:
        """For the main thread of a command."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self._handle) for number in signals]
        try:
            yield
        finally:
            for number, handler in zip(signals, before, strict=True):
                signal.signal(number, handler)

    @contextmanager
    def put_off(self) -> Iterator[None]:
        self._put_off = True
        try:
            yield
        finally:
            self._put_off = False
        if self._pending is not None:
            raise Interrupted(self._pending)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        # Who asks twice does not want to wait.
        if self._put_off and self._pending is None:
            self._pending = number
        else:
            raise Interrupted(number)
