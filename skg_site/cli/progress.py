"""The progress of a command on standard error: sentences and, on a terminal, a progress bar."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

# The stage of the work, how much of it is done, and how much there is, if that is known.
Report = Callable[[str, int, int | None], None]

REFRESH_SECONDS = 0.25


class _Details(ProgressColumn):
    """The progress of a command in words, with the time that is left if the total is known."""

    def render(self, task: Task) -> Text:
        details: list[str] = [task.fields["details"]]
        if task.total is not None:
            left = task.time_remaining
            details.append(f"left: {'-:--:--' if left is None else timedelta(seconds=round(left))}")
        return Text(", ".join(filter(None, details)))


class ProgressBar:
    """A bar from the first report until the command ends. Where standard error is no terminal, there is none."""

    def __init__(self, *, refresh_in_thread: bool = True) -> None:
        """Make a progress bar. Without a thread it is drawn only when the command reports."""
        self._console = Console(stderr=True)
        self.is_terminal = self._console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            _Details(Column(no_wrap=True)),
            console=self._console,
            transient=True,
            auto_refresh=refresh_in_thread,
            disable=not self.is_terminal,
        )
        self._task: TaskID | None = None
        self._began = monotonic()
        self._stage: str | None = None
        self._next_update = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @property
    def seconds(self) -> float:
        """The time since the command began."""
        return monotonic() - self._began

    def report(self, stage: str, done: float, total: float | None, details: str = "") -> None:
        """Show how far this stage is, and what there is to say about it."""
        now = monotonic()
        if stage == self._stage and now < self._next_update:
            return
        if self._task is None or stage != self._stage:
            # A task of its own: rich keeps the total of a task that gets none.
            for task in self._progress.task_ids:
                self._progress.remove_task(task)
            self._task = self._progress.add_task(stage, total=total, details=details)
            self._progress.start()
        self._stage, self._next_update = stage, now + REFRESH_SECONDS
        self._progress.update(self._task, completed=done, total=total, details=details, refresh=True)

    def say(self, sentence: str) -> None:
        """Print a sentence, above the bar."""
        self._console.out(sentence, highlight=False)
