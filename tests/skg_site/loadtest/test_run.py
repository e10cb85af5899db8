"""A load from its beginning to its end, told to stop at each of its stages."""

import asyncio
import os
import signal
from dataclasses import replace

import orjson
import pytest

from skg_site.loadtest.driver import Plan
from skg_site.loadtest.mixes import Mix, Work
from skg_site.loadtest.run import Load, Outcome, remove, run
from skg_site.loadtest.screen import Screen
from skg_site.loadtest.signals import Signals, Stopped
from tests.skg_site.loadtest.servers import answer, answering, routing, serving

KEY = answer(200, orjson.dumps({"scopes": ["read", "write"]}))
ADDS: Mix = {Work.ADD: 1}


async def loaded(url: str, *, duration: float = 0.1) -> Outcome:
    load = Load(url, None, Plan(1, duration), ADDS, batch_size=1, timeout=30, keep=False)
    with Screen() as screen:
        return await run(load, screen)


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
    service = {b"GET /keys/me": lambda: KEY, b"POST": lambda: answer(201), b"GET": lambda: answer(500, b"{}")}
    async with serving(routing(service)) as url:
        outcome = await loaded(url)
    assert outcome.left == "GET /triples gave 500."
    assert outcome.removed == 0
    assert outcome.signal_number is None


async def test_a_signal_ends_the_cleaning_up_and_what_was_measured_stays() -> None:
    page = answer(200, orjson.dumps({"triples": [{"id": "1"}]}))

    def refuse() -> bytes:
        interrupt()
        # The service never says that the fact is gone.
        return answer(503, Retry_After="30")

    service = {b"GET /keys/me": lambda: KEY, b"POST": lambda: answer(201), b"GET": lambda: page, b"DELETE": refuse}
    async with serving(routing(service)) as url:
        outcome = await loaded(url, duration=0.2)
    assert outcome.left == "Told to stop."
    assert outcome.signal_number == signal.SIGINT
    assert set(outcome.summary.all.statuses) <= {"201"}


async def test_the_second_signal_does_not_wait_for_an_answer() -> None:
    began = asyncio.Event()
    never = asyncio.Event()
    gentle: list[str] = []

    async def work() -> None:
        began.set()
        await never.wait()

    signals = Signals()
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
    stage = asyncio.create_task(Signals().stage(asyncio.sleep(60)))
    await asyncio.sleep(0)
    stage.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stage


async def test_what_keeps_an_earlier_load_from_being_removed_is_told() -> None:
    load = Load("", None, Plan(1, 1), ADDS, batch_size=1, timeout=5, keep=False)
    with Screen() as screen:
        async with serving(answering(KEY, answer(500, b"{}"))) as url:
            assert await remove(replace(load, url=url), screen) == (0, "GET /triples gave 500.")
