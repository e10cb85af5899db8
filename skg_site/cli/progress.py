"""What a backup, a restore or a vacuum shows while it lasts: on a terminal a bar, else nothing."""

from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

# What is under way, how far it is and how far it goes, if that is known.
Report = Callable[[str, int, int | None], None]

# A command that is done sooner needs no bar.
PATIENCE_SECONDS = 0.5


class Bar:
    """Call it as a `Report`."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=None, told="")
        self._began = monotonic()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if not self._shown and monotonic() - self._began > PATIENCE_SECONDS:
            self._shown = True
            self._progress.start()
        told = f"{done * 100 // total} %" if total else f"{done:,}" if done else ""
        self._progress.update(self._task, description=stage, completed=done, total=total, told=told)
