"""What is sent when, and what is made of what comes back."""

from random import Random

import pytest

from skg_site.ops.loadtest.client import Client
from skg_site.ops.loadtest.driver import Driver, Plan
from skg_site.ops.loadtest.mixes import Mix, Work, endless_work
from skg_site.ops.loadtest.request_maker import RequestMaker
from skg_site.ops.loadtest.tally import Tally
from tests.skg_site.ops.loadtest.servers import Behave, answer, answering, routing, rude, serving, silent
from tests.support.service import free_port

QUERIES: Mix = {Work.QUERY: 1}


async def driven(url: str, plan: Plan, *, patience: float = 5.0) -> Driver:
    async with Client(url, "a-key", connections=plan.concurrency, timeout=patience) as client:
        random = Random(1)
        driver = Driver(client, RequestMaker("load_test", 1, [], random), endless_work(QUERIES, random), plan)
        await driver.run()
        return driver


async def tally_of(behave: Behave, plan: Plan, *, patience: float = 5.0) -> Tally:
    async with serving(behave) as url:
        return (await driven(url, plan, patience=patience)).tallies[Work.QUERY]


async def test_each_connection_sends_as_soon_as_it_has_its_answer() -> None:
    tally = await tally_of(answering(answer(200)), Plan(concurrency=3, duration=0.3))
    assert tally.requests > 3
    assert set(tally.statuses) == {"200"}
    assert tally.failed == 0


@pytest.mark.parametrize("status", [201, 302, 429, 500, 503])
async def test_any_answer_but_the_one_that_is_expected_is_a_failure(status: int) -> None:
    tally = await tally_of(answering(answer(status, Location="/elsewhere")), Plan(concurrency=1, duration=0.1))
    assert set(tally.statuses) == {str(status)}
    assert tally.failed == tally.requests
    assert tally.latencies.count == 0


async def test_no_answer_in_time_is_a_timeout() -> None:
    tally = await tally_of(silent, Plan(concurrency=2, duration=0.1), patience=0.2)
    assert tally.statuses == {"timeout": 2}


async def test_half_an_answer_is_a_broken_connection() -> None:
    tally = await tally_of(rude, Plan(concurrency=1, duration=0.1))
    assert set(tally.statuses) == {"connection broken"}


async def test_where_nothing_listens_the_connection_is_refused_and_tried_again_after_a_pause() -> None:
    driver = await driven(f"http://127.0.0.1:{free_port()}", Plan(concurrency=1, duration=0.2))
    [tally] = driver.tallies.values()
    assert set(tally.statuses) == {"connection refused"}
    assert 1 <= tally.requests <= 4


async def test_a_host_without_address_is_no_connection() -> None:
    driver = await driven("http://nowhere.invalid", Plan(concurrency=1, duration=0.01))
    assert set(driver.tallies[Work.QUERY].statuses) == {"no connection"}


async def test_the_warm_up_is_not_counted() -> None:
    seen = 0

    def count() -> bytes:
        nonlocal seen
        seen += 1
        return answer(200)

    async with serving(routing({b"POST": count})) as url:
        driver = await driven(url, Plan(concurrency=1, duration=0.5, warm_up=0.5))
    assert 0 < driver.tallies[Work.QUERY].requests < seen
    assert driver.measured_seconds < driver.elapsed - 0.5


async def test_at_a_rate_so_many_are_sent_and_no_more() -> None:
    async with serving(answering(answer(200))) as url:
        driver = await driven(url, Plan(concurrency=20, duration=0.5, rate=100))
    # On a busy machine some may be left out, and then they are told.
    assert driver.tallies[Work.QUERY].requests + driver.unsent == 50


async def test_what_a_slow_service_kept_from_being_sent_is_told_and_waiting_counts_as_latency() -> None:
    async with serving(silent) as url:
        driver = await driven(url, Plan(concurrency=1, duration=0.5, rate=100), patience=0.2)
    assert driver.tallies[Work.QUERY].statuses["timeout"] <= 4
    assert driver.unsent >= 46


@pytest.mark.parametrize("rate", [None, 0.5])
async def test_a_load_that_is_told_to_stop_sends_nothing_more(rate: float | None) -> None:
    async with serving(answering(answer(200))) as url, Client(url, None, connections=1, timeout=5) as client:
        random = Random(1)
        requests = RequestMaker("load_test", 1, [], random)
        driver = Driver(client, requests, endless_work(QUERIES, random), Plan(1, 600, rate=rate))
        assert driver.elapsed == driver.measured_seconds == 0
        driver.stop()
        await driver.run()
        assert driver.tallies == {}
        assert driver.unsent == 0
