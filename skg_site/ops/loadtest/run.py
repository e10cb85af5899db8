"""A load from its beginning to its end: look, send, clean up."""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from skg_site.ops.loadtest.client import Client
from skg_site.ops.loadtest.driver import Driver, Plan
from skg_site.ops.loadtest.graph import NotAllowed, NotReady, check_key, remove_facts, some_facts
from skg_site.ops.loadtest.limits import Limit, refusal
from skg_site.ops.loadtest.mixes import Mix, Work, turns
from skg_site.ops.loadtest.requests import Fact, Requests
from skg_site.ops.loadtest.screen import Screen
from skg_site.ops.loadtest.signals import Signals, Stopped
from skg_site.ops.loadtest.summary import Summary

# What no answer came to is done by then, or never.
SETTLE_SECONDS = 2.0
# A limit that keeps the clean-up longer is worth a word.
LONG_SECONDS = 10

NAME_PATTERN = r"load_test-[0-9a-f]{8}"


def new_name() -> str:
    return f"load_test-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be done; `timeout` is how many seconds a request may take, `keep` leaves the added facts there."""

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
        """Whether there will be facts whose predicate is `name`."""
        return any(work is not Work.QUERY for work in self.mix)

    @property
    def scopes(self) -> set[str]:
        """What the key must be allowed; what is to be deleted is looked for first."""
        reads = Work.QUERY in self.mix or (self.adds and not self.keep)
        return ({"read"} if reads else set()) | ({"write"} if self.adds else set())


@dataclass(frozen=True, slots=True)
class Outcome:
    """`signal_number` is what ended the load too early."""

    summary: Summary
    cleaned: "Cleaned"
    signal_number: int | None


class Cleaned(NamedTuple):
    """How many facts were deleted; why others are still there, if some are, and how many those are at most."""

    removed: int = 0
    left: str | None = None
    left_at_most: int = 0


async def run(load: Load, screen: Screen) -> Outcome:
    """Raise NotAllowed, NotReady or Stopped where nothing was measured."""
    signals = Signals()
    with signals.caught():
        async with _client(load) as client:
            known, limit = await signals.stage(_look(client, load))
            random = Random(load.name)  # noqa: S311  # nothing here is secret
            requests = Requests(load.name, load.batch_size, known, random)
            driver = Driver(client, requests, turns(load.mix, random), load.plan)
            cleaner = _Cleaner(client, load, screen, signals, limit)
            try:
                async with screen.following(driver):
                    with suppress(Stopped):
                        await signals.stage(driver.run(), driver.stop)
            except BaseException:
                cleaned = await cleaner.clean_up(requests.facts, unanswered=True)
                screen.say(f"{cleaned.removed:,} facts were deleted. {told_of_left(load, cleaned)}".strip())
                raise
            cleaned = await cleaner.clean_up(requests.facts, unanswered=driver.unanswered > 0)
    summary = Summary(driver.tallies, driver.measured_seconds, driver.unsent)
    return Outcome(summary, cleaned, signals.number)


async def remove(load: Load, screen: Screen) -> Cleaned:
    """Delete the facts that an earlier load of this name left; raises as `run` does."""
    signals = Signals()
    with signals.caught():
        async with _client(load) as client:
            limit = await signals.stage(check_key(client, {"read", "write"}))
            return await _Cleaner(client, load, screen, signals, limit).clean_up(None, unanswered=False)


def told_of_left(load: Load, cleaned: Cleaned) -> str:
    """A sentence about what is still there, and how to delete it; empty where nothing is."""
    if not cleaned.left:
        return ""
    number = f"Up to {cleaned.left_at_most:,} facts" if cleaned.left_at_most else "Facts"
    return f"{number} are still there: {cleaned.left} --remove {load.name} deletes them."


def _client(load: Load) -> Client:
    return Client(load.url, load.key, connections=load.plan.concurrency, timeout=load.timeout)


async def _look(client: Client, load: Load) -> tuple[Sequence[Fact], Limit | None]:
    limit = await check_key(client, load.scopes)
    if limit and not load.ignore_limit and (sentence := refusal(limit, load.plan, load.mix)):
        raise NotAllowed(sentence)
    return await some_facts(client) if Work.QUERY in load.mix else [], limit


@dataclass(frozen=True, slots=True)
class _Cleaner:
    client: Client
    load: Load
    screen: Screen
    signals: Signals
    limit: Limit | None

    async def clean_up(self, sent: int | None, *, unanswered: bool) -> Cleaned:
        """Delete what the load added; `unanswered` for requests under way that may yet be done."""
        if sent is not None and (self.load.keep or not self.load.adds):
            return Cleaned()
        if self.limit and sent and (seconds := self.limit.seconds_for(sent)) > LONG_SECONDS:
            self.screen.say(
                f"To delete the facts takes up to {seconds:,.0f} seconds, since the key may send {self.limit}. "
                f"Ctrl-C leaves them; --remove {self.load.name} deletes them with a key that has no limit."
            )
        removed = 0
        deleted = 0

        def tell(number: int) -> None:
            nonlocal removed
            removed = deleted + number
            self.screen.show("removing what was added", removed, sent, f"{removed:,} facts")

        left = None
        try:
            await self.signals.stage(remove_facts(self.client, self.load.name, self.load.plan.concurrency, tell))
            if unanswered:
                deleted = removed
                await self.signals.stage(asyncio.sleep(SETTLE_SECONDS))
                await self.signals.stage(remove_facts(self.client, self.load.name, self.load.plan.concurrency, tell))
        except NotReady as error:
            left = str(error)
        except Stopped:
            left = "Told to stop."
        return Cleaned(removed, left, max((sent or 0) - removed, 0))
