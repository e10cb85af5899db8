"""What a long command shows on standard error: sentences, and on a terminal a bar while it lasts."""

from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

# A command that is done sooner needs no bar.
PATIENCE_SECONDS = 0.5


class Screen:
    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[facts]:,} facts, {task.fields[rate]:,.0f}/s, left:"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("", total=None, facts=0, rate=0.0)
        self._start = monotonic()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return monotonic() - self._start

    def expect(self, total: int | None) -> None:
        """How far `show` will go, where that is known."""
        self._progress.update(self._task, total=total)

    def show(self, done: int, facts: int) -> None:
        """How far the command is, and how many facts that was."""
        if not self._shown and self.seconds > PATIENCE_SECONDS:
            self._shown = True
            self._progress.start()
        self._progress.update(self._task, completed=done, facts=facts, rate=facts / max(self.seconds, 1e-9))

    def say(self, sentence: str) -> None:
        self._console.out(sentence, highlight=False)
