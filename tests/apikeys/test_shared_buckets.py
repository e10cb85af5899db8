"""Buckets in a real Valkey: the same decisions as the arithmetic makes, for all who count there."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from apikeys.buckets import SECOND, Bucket
from apikeys.shared_buckets import MICROSECOND, SharedBuckets, in_microseconds
from skg_site.api.rates import Rate
from skg_site.api.valkey import ValkeyDown, valkey
from tests.support.valkey import ValkeyServer

HOURLY = Bucket.for_rate(Rate(10, 3600))


@pytest.fixture
async def opened(valkey_server: ValkeyServer) -> AsyncIterator[ValkeyServer]:
    valkey.open(valkey_server.url)
    yield valkey_server
    await valkey.close()


async def test_many_who_ask_at_once_get_exactly_what_the_bucket_holds(opened: ValkeyServer) -> None:
    hosts = [SharedBuckets() for _ in range(3)]
    taken = await asyncio.gather(*(host.take(1, HOURLY) for host in hosts for _ in range(20)))
    assert sorted(take.remaining for take in taken if take.allowed) == list(range(10))
    refused = [take for take in taken if not take.allowed]
    assert len(refused) == 50
    assert all(0 < take.next_token <= 360 * SECOND for take in refused)


async def test_a_bucket_more_than_fits_into_one_call_is_counted_to_the_last(opened: ValkeyServer) -> None:
    buckets = SharedBuckets()
    taken = await asyncio.gather(*(buckets.take(number % 7 + 1, HOURLY) for number in range(1200)))
    assert sum(take.allowed for take in taken) == 70


async def test_a_token_comes_back_with_the_servers_time(opened: ValkeyServer) -> None:
    buckets = SharedBuckets()
    quick = Bucket.for_rate(Rate(2, 1))
    first = [await buckets.take(2, quick) for _ in range(3)]
    assert [take.allowed for take in first[:2]] == [True, True]
    async with asyncio.timeout(10):
        while not (await buckets.take(2, quick)).allowed:
            await asyncio.sleep(0.05)


async def test_a_full_bucket_is_no_longer_kept(opened: ValkeyServer) -> None:
    await SharedBuckets().take(3, Bucket.for_rate(Rate(100, 1)))
    with opened.client() as client:
        async with asyncio.timeout(10):
            while client.exists("skg:limit:0000000000000003"):
                await asyncio.sleep(0.01)


async def test_a_bucket_that_was_written_by_a_clock_far_ahead_is_full(opened: ValkeyServer) -> None:
    with opened.client() as client:
        seconds, _ = client.time()
        client.set("skg:limit:0000000000000004", (seconds + 100_000) * 1_000_000)
    taken = await SharedBuckets().take(4, HOURLY)
    assert (taken.allowed, taken.remaining) == (True, 9)


@pytest.mark.parametrize("rate", [Rate(7, 60), Rate(100, 60), Rate(333, 1), Rate(999_983, 1), Rate(1, 3600)])
def test_an_interval_in_microseconds_gives_never_more_than_the_rate(rate: Rate) -> None:
    bucket = in_microseconds(Bucket.for_rate(rate))
    assert bucket.interval % MICROSECOND == 0
    assert bucket.capacity * bucket.interval >= rate.seconds * SECOND


async def test_the_script_decides_as_the_arithmetic_does(opened: ValkeyServer) -> None:
    buckets = SharedBuckets()
    bucket = Bucket.for_rate(Rate(50, 1))
    with opened.client() as client:
        for _ in range(200):
            before = client.get("skg:limit:0000000000000005")
            taken = await buckets.take(5, bucket)
            after = client.get("skg:limit:0000000000000005")
            if taken.allowed:
                # The last token may be back before it is looked for.
                assert after is None or int(after) * MICROSECOND == taken.full_at
            else:
                assert after in {before, None}


async def test_after_a_restart_the_script_is_sent_again(opened: ValkeyServer) -> None:
    buckets = SharedBuckets()
    await buckets.take(6, HOURLY)
    with opened.client() as client:
        client.script_flush()
    assert (await buckets.take(6, HOURLY)).remaining == 8


async def test_all_who_wait_are_told_when_the_server_is_gone(opened: ValkeyServer) -> None:
    buckets = SharedBuckets()
    await buckets.take(7, HOURLY)
    opened.kill()
    outcomes = await asyncio.gather(*(buckets.take(7, HOURLY) for _ in range(20)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ValkeyDown}


async def test_a_client_that_goes_away_leaves_the_others_their_answers(opened: ValkeyServer) -> None:
    buckets = SharedBuckets()
    asking = [asyncio.create_task(buckets.take(8, HOURLY)) for _ in range(3)]
    await asyncio.sleep(0)
    asking[1].cancel()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(outcomes[1], asyncio.CancelledError)
    assert (await buckets.take(8, HOURLY)).allowed
