"""Running a load: check the service, send requests, clean up."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from skg_site.cli.interrupts import StageInterrupts, Stopped
from skg_site.cli.progress import REFRESH_SECONDS, ProgressBar
from skg_site.ops.loadtest.api_calls import NotAllowed, NotReady, check_key, remove_facts, some_facts
from skg_site.ops.loadtest.client import Client
from skg_site.ops.loadtest.driver import Driver, Plan
from skg_site.ops.loadtest.mixes import Mix, Work, endless_work
from skg_site.ops.loadtest.rate_limits import refusal
from skg_site.ops.loadtest.request_maker import Fact, RequestMaker
from skg_site.ops.loadtest.summary import Summary

# By then the service has carried out a request that got no answer, or never will.
SETTLE_SECONDS = 2.0

NAME_PATTERN = r"load_test-[0-9a-f]{8}"


def new_name() -> str:
    return f"load_test-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Load:
    """The options of a load. `timeout` is in seconds for one request; `keep` leaves the added facts in the graph."""

    url: str
    key: str | None
    plan: Plan
    mix: Mix
    batch_size: int
    timeout: float
    keep: bool
    ignore_limit: bool = False
    name: str = field(default_factory=new_name)

    @property
    def adds(self) -> bool:
        """True if the load adds facts."""
        return any(work is not Work.QUERY for work in self.mix)

    @property
    def scopes(self) -> set[str]:
        """The scopes that the key needs."""
        return ({"read"} if Work.QUERY in self.mix else set()) | ({"write"} if self.adds else set())


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The result of a load; `signal_number` is of the signal that ended it early."""

    summary: Summary
    cleaned: "Cleaned"
    signal_number: int | None


class Cleaned(NamedTuple):
    """The number of deleted facts; if others are left, the reason, and their greatest possible number."""

    removed: int = 0
    left: str | None = None
    left_at_most: int = 0


async def run(load: Load, progress: ProgressBar) -> LoadResult:
    """Run a load. Raises NotAllowed, NotReady or Stopped if nothing was measured."""
    signals = StageInterrupts()
    with signals.caught():
        async with _client(load) as client:
            known = await signals.stage(_prepare(client, load))
            random = Random(load.name)  # noqa: S311  # nothing here is secret
            requests = RequestMaker(load.name, load.batch_size, known, random)
            driver = Driver(client, requests, endless_work(load.mix, random), load.plan)
            cleaner = _Cleaner(client, load, progress, signals)
            try:
                async with _shown(driver, progress):
                    with suppress(Stopped):
                        await signals.stage(driver.run(), driver.stop)
            except BaseException:
                cleaned = await cleaner.clean_up(requests.facts, unanswered=True)
                progress.say(f"{cleaned.removed:,} facts were deleted. {left_sentence(load, cleaned)}".strip())
                raise
            cleaned = await cleaner.clean_up(requests.facts, unanswered=driver.unanswered > 0)
    summary = Summary(driver.tallies, driver.measured_seconds, driver.unsent)
    return LoadResult(summary, cleaned, signals.number)


async def remove(load: Load, progress: ProgressBar) -> Cleaned:
    """Delete the facts that an earlier load of this name left. Raises what `run` raises."""
    signals = StageInterrupts()
    with signals.caught():
        async with _client(load) as client:
            await signals.stage(check_key(client, {"write"}))
            return await _Cleaner(client, load, progress, signals).clean_up(None, unanswered=False)


def left_sentence(load: Load, cleaned: Cleaned) -> str:
    """A sentence about the facts that are left, and how to delete them; empty if there are none."""
    if not cleaned.left:
        return ""
    number = f"Up to {cleaned.left_at_most:,} facts" if cleaned.left_at_most else "Facts"
    return f"{number} are still there: {cleaned.left} --remove {load.name} deletes them."


@asynccontextmanager
async def _shown(driver: Driver, progress: ProgressBar) -> AsyncIterator[None]:
    """Show the progress of the load while the block lasts."""
    following = asyncio.create_task(_follow(driver, progress))
    try:
        yield
    finally:
        following.cancel()


async def _follow(driver: Driver, progress: ProgressBar) -> None:
    plan = driver.plan
    while True:
        stage = "warm-up" if driver.elapsed < plan.warm_up else "load"
        requests = sum(tally.requests for tally in driver.tallies.values())
        failed = sum(tally.failed for tally in driver.tallies.values())
        progress.report(stage, driver.elapsed, plan.seconds, f"{requests:,} requests, {failed:,} failed")
        await asyncio.sleep(REFRESH_SECONDS)


def _client(load: Load) -> Client:
    return Client(load.url, load.key, connections=load.plan.concurrency, timeout=load.timeout)


async def _prepare(client: Client, load: Load) -> Sequence[Fact]:
    limit = await check_key(client, load.scopes)
    if limit and not load.ignore_limit and (sentence := refusal(limit, load.plan, load.mix)):
        raise NotAllowed(sentence)
    return await some_facts(client) if Work.QUERY in load.mix else []


@dataclass(frozen=True, slots=True)
class _Cleaner:
    client: Client
    load: Load
    progress: ProgressBar
    signals: StageInterrupts

    async def clean_up(self, sent: int | None, *, unanswered: bool) -> Cleaned:
        """Delete what the load added. With `unanswered`, the service may still be adding facts, so it is done twice."""
        if sent is not None and (self.load.keep or not self.load.adds):
            return Cleaned()
        removed = 0
        deleted = 0

        def tell(number: int) -> None:
            nonlocal removed
            removed = deleted + number
            self.progress.report("removing what was added", removed, sent, f"{removed:,} facts")

        left = None
        try:
            await self.signals.stage(remove_facts(self.client, self.load.name, tell))
            if unanswered:
                deleted = removed
                await self.signals.stage(asyncio.sleep(SETTLE_SECONDS))
                await self.signals.stage(remove_facts(self.client, self.load.name, tell))
        except NotReady as error:
            left = str(error)
        except Stopped:
            left = "Told to stop."
        return Cleaned(removed, left, max((sent or 0) - removed, 0))
