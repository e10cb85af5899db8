"""A load from its beginning to its end, told to stop at each of its stages."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from skg_site.cli.interrupts import StageInterrupts, Stopped
from skg_site.cli.progress import ProgressBar
from skg_site.ops.loadtest.api_calls import NotAllowed
from skg_site.ops.loadtest.driver import Plan
from skg_site.ops.loadtest.mixes import Mix, Work
from skg_site.ops.loadtest.request_maker import RequestMaker
from skg_site.ops.loadtest.run import Load, LoadResult, remove, run
from tests.skg_site.ops.loadtest.servers import Behave, answer, answering, routing, serving

KEY = answer(200, orjson.dumps({"scopes": ["read", "write"]}))
ADDS: Mix = {Work.ADD: 1}
DELETE = b"POST /triples/delete"


async def loaded(url: str, *, duration: float = 0.1) -> LoadResult:
    load = Load(url, None, Plan(1, duration), ADDS, batch_size=1, timeout=30, keep=False)
    with ProgressBar() as progress:
        return await run(load, progress)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


async def test_before_anything_was_sent_a_signal_ends_it_all() -> None:
    def leave() -> bytes:
        interrupt()
        return b""

    async with serving(routing({b"GET /keys/me": leave})) as url:
        with pytest.raises(Stopped) as stopped:
            await loaded(url)
    assert stopped.value.signal_number == signal.SIGINT


async def test_facts_that_could_not_be_deleted_are_told() -> None:
    service = {b"GET /keys/me": lambda: KEY, DELETE: lambda: answer(500, b"{}"), b"POST": lambda: answer(201)}
    async with serving(routing(service)) as url:
        outcome = await loaded(url)
    assert outcome.cleaned.left == "POST /triples/delete gave 500."
    assert outcome.cleaned.removed == 0
    assert outcome.cleaned.left_at_most == outcome.summary.all.requests
    assert outcome.signal_number is None


async def test_a_signal_ends_the_cleaning_up_and_what_was_measured_stays() -> None:
    def refuse() -> bytes:
        interrupt()
        # The service never says that the facts are gone.
        return answer(503, Retry_After="30")

    service = {b"GET /keys/me": lambda: KEY, DELETE: refuse, b"POST": lambda: answer(201)}
    async with serving(routing(service)) as url:
        outcome = await loaded(url, duration=0.2)
    assert outcome.cleaned.left == "Told to stop."
    assert outcome.signal_number == signal.SIGINT
    assert set(outcome.summary.all.statuses) <= {"201"}


async def test_the_second_signal_does_not_wait_for_an_answer() -> None:
    began = asyncio.Event()
    never = asyncio.Event()
    gentle: list[str] = []

    async def work() -> None:
        began.set()
        await never.wait()

    signals = StageInterrupts()
    with signals.caught():
        stage = asyncio.create_task(signals.stage(work(), lambda: gentle.append("stop")))
        await began.wait()
        interrupt()
        while not gentle:
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped) as stopped:
            await stage
    assert gentle == ["stop"]
    assert stopped.value.signal_number == signals.number == signal.SIGTERM


async def test_a_stage_that_is_cancelled_by_its_owner_is_cancelled() -> None:
    stage = asyncio.create_task(StageInterrupts().stage(asyncio.sleep(60)))
    await asyncio.sleep(0)
    stage.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stage


async def test_what_keeps_an_earlier_load_from_being_removed_is_told() -> None:
    load = Load("", None, Plan(1, 1), ADDS, batch_size=1, timeout=5, keep=False)
    with ProgressBar() as progress:
        async with serving(answering(KEY, answer(500, b"{}"))) as url:
            assert await remove(replace(load, url=url), progress) == (0, "POST /triples/delete gave 500.", 0)


class Facts:
    """A service that stores facts, and deletes them three at a time."""

    def __init__(self) -> None:
        self.number = 0

    def behave(self, **others: Callable[[], bytes]) -> Behave:
        routes = {
            b"GET /keys/me": lambda: KEY,
            DELETE: self.delete,
            b"POST": self.add,
        } | {name.encode(): give for name, give in others.items()}
        return routing(routes)

    def add(self) -> bytes:
        self.number += 1
        return answer(201)

    def delete(self) -> bytes:
        deleted = min(self.number, 3)
        self.number -= deleted
        end = self.number == 0
        return answer(200, orjson.dumps({"facts": deleted, "complete": end, "next_cursor": None if end else "next"}))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_the_load_and_not_the_cleaning_up(number: signal.Signals) -> None:
    facts = Facts()

    def add() -> bytes:
        if facts.number == 5:
            os.kill(os.getpid(), number)
        return facts.add()

    async with serving(facts.behave(POST=add)) as url:
        outcome = await loaded(url, duration=60)
    assert outcome.signal_number == number
    assert outcome.cleaned.removed >= 6
    assert (outcome.cleaned.left, facts.number) == (None, 0)


async def test_a_mistake_of_ours_cleans_up_too(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("skg_site.ops.loadtest.run.SETTLE_SECONDS", 0)
    facts = Facts()
    real = RequestMaker.next

    def fail(self: RequestMaker, work: Work) -> Any:
        if self.facts == 5:
            raise RuntimeError("a mistake")
        return real(self, work)

    monkeypatch.setattr(RequestMaker, "next", fail)
    async with serving(facts.behave()) as url:
        with pytest.raises(ExceptionGroup):
            await loaded(url, duration=60)
    assert facts.number == 0
    assert "5 facts were deleted." in capsys.readouterr().err


async def test_what_came_in_after_its_client_gave_up_is_deleted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skg_site.ops.loadtest.run.SETTLE_SECONDS", 0.01)
    facts = Facts()
    late = [1]

    def delete() -> bytes:
        given = facts.delete()
        if late:
            # Committed just after the last look.
            facts.number = late.pop()
        return given

    def add() -> bytes:
        # No answer, as far as the client can tell.
        return b"HTTP/1.1 nonsense\r\n\r\n"

    async with serving(facts.behave(**{DELETE.decode(): delete}, POST=add)) as url:
        outcome = await loaded(url)
    assert (outcome.cleaned.removed, facts.number, late) == (1, 0, [])


async def test_a_limit_that_is_too_low_is_told_before_anything_is_sent() -> None:
    limited = answer(200, orjson.dumps({"scopes": ["read", "write"]}), RateLimit_Policy='"default";q=100;w=60')
    facts = Facts()
    behave = facts.behave(**{"GET /keys/me": lambda: limited})
    async with serving(behave) as url:
        with pytest.raises(NotAllowed, match="100 requests in 60 seconds"):
            await loaded(url)
    assert facts.number == 0
