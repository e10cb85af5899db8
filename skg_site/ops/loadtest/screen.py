"""What a load shows on standard error: sentences, and on a terminal a bar while it lasts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from skg_site.ops.loadtest.driver import Driver

REFRESH_SECONDS = 0.25


class Screen:
    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            console=self._console,
            transient=True,
            # By a thread of its own, which would take time from what is measured.
            auto_refresh=False,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("", total=None, told="")
        self._next_refresh = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, sentence: str) -> None:
        self._console.out(sentence, highlight=False)

    def show(self, stage: str, done: float, total: float | None, told: str) -> None:
        now = monotonic()
        if now >= self._next_refresh:
            self._next_refresh = now + REFRESH_SECONDS
            self._progress.update(self._task, description=stage, completed=done, total=total, told=told, refresh=True)

    @asynccontextmanager
    async def following(self, driver: Driver) -> AsyncIterator[None]:
        """Show how far the load is while the block lasts."""
        follower = asyncio.create_task(self._follow(driver))
        try:
            yield
        finally:
            follower.cancel()

    async def _follow(self, driver: Driver) -> None:
        plan = driver.plan
        while True:
            stage = "warm-up" if driver.elapsed < plan.warm_up else "load"
            requests = sum(tally.requests for tally in driver.tallies.values())
            failed = sum(tally.failed for tally in driver.tallies.values())
            told = f"{requests:,} requests, {failed:,} failed, {max(plan.seconds - driver.elapsed, 0):.0f} s left"
            self.show(stage, driver.elapsed, plan.seconds, told)
            await asyncio.sleep(REFRESH_SECONDS)
