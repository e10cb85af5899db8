"""Sending requests for a while, as fast as they are answered or at a fixed rate."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter

from skg_site.ops.loadtest.client import Client, Unreachable
from skg_site.ops.loadtest.mixes import Work
from skg_site.ops.loadtest.request_maker import RequestMaker
from skg_site.ops.loadtest.tally import Tally

# The pause before the next request when the last one got no answer.
PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """The times are in seconds. `rate` is in requests a second; None means as many as the connections get answered."""

    concurrency: int
    duration: float
    warm_up: float = 0.0
    rate: float | None = None

    @property
    def seconds(self) -> float:
        return self.warm_up + self.duration


@dataclass(slots=True)
class Driver:
    """One load. It fills `tallies` with the requests that begin after the warm-up."""

    client: Client
    requests: RequestMaker
    work: Iterator[Work]
    plan: Plan
    tallies: dict[Work, Tally] = field(default_factory=dict)
    # Requests that the service may have carried out although no answer came.
    unanswered: int = 0
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: Iterator[int] = field(default_factory=count)
    _begin: float = 0.0
    _last_answer: float = 0.0
    _begun: int = 0

    async def run(self) -> None:
        self._begin = perf_counter()
        client = self._send_what_is_due if self.plan.rate else self._send_without_pause
        async with asyncio.TaskGroup() as group:
            for _ in range(self.plan.concurrency):
                group.create_task(client())

    def stop(self) -> None:
        """Send nothing more, and let the requests under way finish."""
        self._stopped.set()

    @property
    def elapsed(self) -> float:
        return perf_counter() - self._begin if self._begin else 0.0

    @property
    def measured_seconds(self) -> float:
        """The time from the end of the warm-up to the last answer that counts."""
        return max(self._last_answer - self._begin - self.plan.warm_up, 0.0)

    @property
    def unsent(self) -> int:
        """The number of requests that were due but not sent, since every connection was waiting for an answer."""
        if not self.plan.rate or self._stopped.is_set():
            return 0
        return max(int(self.plan.rate * self.plan.duration) - self._begun, 0)

    async def _send_without_pause(self) -> None:
        while not self._stopped.is_set() and (begin := perf_counter()) < self._begin + self.plan.seconds:
            await self._send(begin)

    async def _send_what_is_due(self) -> None:
        assert self.plan.rate is not None
        end = self._begin + self.plan.seconds
        for number in self._numbers:
            due = self._begin + number / self.plan.rate
            if due >= end or perf_counter() >= end:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), due - perf_counter())
            if self._stopped.is_set():
                return
            # The time that a request waited for a free connection counts: its client would have waited too.
            await self._send(due)

    async def _send(self, begin: float) -> None:
        work = next(self.work)
        sent = self.requests.next(work)
        measured = begin >= self._begin + self.plan.warm_up
        self._begun += measured
        try:
            status = (await self.client.post(sent.path, sent.body)).status
            outcome, succeeded = str(status), status == sent.status
        except Unreachable as error:
            self.unanswered += 1
            outcome, succeeded = str(error), False
        except asyncio.CancelledError:
            self.unanswered += 1
            raise
        if measured:
            self._last_answer = perf_counter()
            self.tallies.setdefault(work, Tally()).count(outcome, self._last_answer - begin, succeeded=succeeded)
        if not outcome.isdigit():
            # Without a pause, the clients of a service that is gone would fail in a tight loop.
            await asyncio.sleep(PAUSE_SECONDS)
