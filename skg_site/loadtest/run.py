"""A load from its beginning to its end: look, send, clean up."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from skg_site.loadtest.client import Client
from skg_site.loadtest.driver import Driver, Plan
from skg_site.loadtest.graph import NotReady, check_key, remove_facts, some_facts
from skg_site.loadtest.mixes import Mix, Work, turns
from skg_site.loadtest.requests import Fact, Requests
from skg_site.loadtest.screen import Screen
from skg_site.loadtest.signals import Signals, Stopped
from skg_site.loadtest.summary import Summary

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
    """`left` says why facts that were added are still there, `signal_number` what ended the load too early."""

    summary: Summary
    removed: int
    left: str | None
    signal_number: int | None


async def run(load: Load, screen: Screen) -> Outcome:
    """Raise NotAllowed, NotReady or Stopped where nothing was measured."""
    signals = Signals()
    with signals.caught():
        async with _client(load) as client:
            known = await signals.stage(_look(client, load))
            random = Random(load.name)  # noqa: S311  # nothing here is secret
            requests = Requests(load.name, load.batch_size, known, random)
            driver = Driver(client, requests, turns(load.mix, random), load.plan)
            async with screen.following(driver):
                with suppress(Stopped):
                    await signals.stage(driver.run(), driver.stop)
            removed, left = 0, None
            if load.adds and not load.keep:
                removed, left = await _clean_up(client, load, requests.facts, screen, signals)
    summary = Summary(driver.tallies, driver.measured_seconds, driver.unsent)
    return Outcome(summary, removed, left, signals.number)


async def remove(load: Load, screen: Screen) -> tuple[int, str | None]:
    """How many facts that an earlier load of this name left were deleted, and why not all; raises as `run` does."""
    signals = Signals()
    with signals.caught():
        async with _client(load) as client:
            await signals.stage(check_key(client, {"read", "write"}))
            return await _clean_up(client, load, None, screen, signals)


def _client(load: Load) -> Client:
    return Client(load.url, load.key, connections=load.plan.concurrency, timeout=load.timeout)


async def _look(client: Client, load: Load) -> Sequence[Fact]:
    await check_key(client, load.scopes)
    return await some_facts(client) if Work.QUERY in load.mix else []


async def _clean_up(
    client: Client, load: Load, sent: int | None, screen: Screen, signals: Signals
) -> tuple[int, str | None]:
    """How many facts were deleted, and why not all of them."""
    removed = 0

    def tell(number: int) -> None:
        nonlocal removed
        removed = number
        screen.show("removing what was added", removed, sent, f"{removed:,} facts")

    left = None
    try:
        await signals.stage(remove_facts(client, load.name, load.plan.concurrency, tell))
    except NotReady as error:
        left = str(error)
    except Stopped:
        left = "Told to stop."
    return removed, left
