"""What a run shows on standard error: a bar on a terminal, else one JSON line for each round."""

from time import monotonic
from types import TracebackType
from typing import Self

import orjson
from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


class RunScreen:
    def __init__(self, stderr: OutputWrapper) -> None:
        self._stderr = stderr
        self._console = Console(stderr=True)
        self._terminal = self._console.is_terminal
        self._progress = Progress(
            TextColumn("{task.fields[stage]}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._terminal,
        )
        self._task = self._progress.add_task("", total=None, stage="reading", told="")
        self._began = monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def stage(self, name: str, done: int, total: int | None) -> None:
        told = f"{done:,} of {total:,}" if total is not None else f"{done:,}"
        self._progress.update(self._task, stage=name, completed=done, total=total, told=told)

    def round(self, number: int, new: int, improved: int, total: int, seconds: float) -> None:
        rate = total / max(monotonic() - self._began, 1e-3)
        told = f"round {number}: {new:,} new, {improved:,} improved, {total:,} in all, {rate:,.0f}/s"
        self._progress.update(self._task, stage="inference", completed=None, total=None, told=told)
        if not self._terminal:
            line = {
                "event": "round", "round": number, "new": new, "improved": improved, "total": total,
                "seconds": round(seconds, 3),
            }  # fmt: skip
            self._stderr.write(orjson.dumps(line).decode(), lambda text: text)
