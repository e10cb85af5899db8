"""Buckets in a real Valkey: the same decisions as the arithmetic makes, for all who count there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.typing import EventDict

from apikeys.bucket_table import BucketTable
from apikeys.rate_limits import Buckets
from apikeys.token_bucket import MICROSECOND, SECOND, Bucket
from apikeys.valkey_buckets import SharedBuckets
from skg_site.api.rates import Rate
from skg_site.api.valkey import ValkeyDown, valkey
from tests.support.valkey import ValkeyServer

HOURLY = Bucket.for_rate(Rate(10, 3600))


@pytest.fixture
async def opened(valkey_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ValkeyServer]:
    # A server that answers late, since the machine is busy, is not one that is gone.
    monkeypatch.setattr("skg_site.api.valkey.DEADLINE_SECONDS", 10)
    valkey.open(valkey_server.url)
    yield valkey_server
    await valkey.close()


@pytest.fixture
def table(tmp_path: Path) -> BucketTable:
    """This host's own buckets."""
    return BucketTable(tmp_path / "limits")


async def test_many_who_ask_at_once_get_exactly_what_the_bucket_holds(opened: ValkeyServer, tmp_path: Path) -> None:
    hosts = [(SharedBuckets(), BucketTable(tmp_path / str(number))) for number in range(3)]
    taken = await asyncio.gather(*(buckets.take(1, HOURLY, table) for buckets, table in hosts for _ in range(20)))
    assert sorted(take.remaining for take in taken if take.allowed) == list(range(10))
    refused = [take for take in taken if not take.allowed]
    assert len(refused) == 50
    assert all(0 < take.next_token <= 360 * SECOND for take in refused)


async def test_a_bucket_more_than_fits_into_one_call_is_counted_to_the_last(
    opened: ValkeyServer, table: BucketTable
) -> None:
    buckets = SharedBuckets()
    taken = await asyncio.gather(*(buckets.take(number % 7 + 1, HOURLY, table) for number in range(1200)))
    assert sum(take.allowed for take in taken) == 70


async def test_a_token_comes_back_with_the_servers_time(opened: ValkeyServer, table: BucketTable) -> None:
    buckets = SharedBuckets()
    quick = Bucket.for_rate(Rate(2, 1))
    first = [await buckets.take(2, quick, table) for _ in range(3)]
    assert [take.allowed for take in first[:2]] == [True, True]
    async with asyncio.timeout(10):
        while not (await buckets.take(2, quick, table)).allowed:
            await asyncio.sleep(0.05)


async def test_a_full_bucket_is_no_longer_kept(opened: ValkeyServer, table: BucketTable) -> None:
    await SharedBuckets().take(3, Bucket.for_rate(Rate(100, 1)), table)
    with opened.client() as client:
        async with asyncio.timeout(10):
            while client.exists("skg:limit:0000000000000003"):
                await asyncio.sleep(0.01)


async def test_a_bucket_that_was_written_by_a_clock_far_ahead_is_full(opened: ValkeyServer, table: BucketTable) -> None:
    with opened.client() as client:
        seconds, _ = client.time()
        client.set("skg:limit:0000000000000004", (seconds + 100_000) * 1_000_000)
    taken = await SharedBuckets().take(4, HOURLY, table)
    assert (taken.allowed, taken.remaining) == (True, 9)


@pytest.mark.parametrize("rate", [Rate(7, 60), Rate(100, 60), Rate(333, 1), Rate(999_983, 1), Rate(1, 3600)])
def test_an_interval_in_microseconds_gives_never_more_than_the_rate(rate: Rate) -> None:
    bucket = Bucket.for_rate(rate).in_microseconds
    assert bucket.interval % MICROSECOND == 0
    assert bucket.capacity * bucket.interval >= rate.seconds * SECOND


async def test_the_script_decides_as_the_arithmetic_does(opened: ValkeyServer, table: BucketTable) -> None:
    buckets = SharedBuckets()
    bucket = Bucket.for_rate(Rate(50, 1))
    with opened.client() as client:
        for _ in range(200):
            before = client.get("skg:limit:0000000000000005")
            taken = await buckets.take(5, bucket, table)
            after = client.get("skg:limit:0000000000000005")
            if taken.allowed:
                # The last token may be back before it is looked for.
                assert after is None or int(after) * MICROSECOND == taken.full_at
            else:
                assert after in {before, None}


async def test_after_a_restart_the_script_is_sent_again(opened: ValkeyServer, table: BucketTable) -> None:
    buckets = SharedBuckets()
    await buckets.take(6, HOURLY, table)
    with opened.client() as client:
        client.script_flush()
    assert (await buckets.take(6, HOURLY, table)).remaining == 8


async def test_all_who_wait_are_told_when_the_server_is_gone(opened: ValkeyServer, table: BucketTable) -> None:
    buckets = SharedBuckets()
    await buckets.take(7, HOURLY, table)
    opened.kill()
    outcomes = await asyncio.gather(*(buckets.take(7, HOURLY, table) for _ in range(20)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ValkeyDown}


async def test_a_client_that_goes_away_leaves_the_others_their_answers(
    opened: ValkeyServer, table: BucketTable
) -> None:
    buckets = SharedBuckets()
    asking = [asyncio.create_task(buckets.take(8, HOURLY, table)) for _ in range(3)]
    await asyncio.sleep(0)
    asking[1].cancel()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(outcomes[1], asyncio.CancelledError)
    assert (await buckets.take(8, HOURLY, table)).allowed


async def until_up() -> None:
    async with asyncio.timeout(20):
        while not valkey.is_up:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("failures", [1, 3])
async def test_failures_of_the_server_hand_out_no_token_again(
    opened: ValkeyServer, table: BucketTable, failures: int, monkeypatch: pytest.MonkeyPatch, log: list[EventDict]
) -> None:
    monkeypatch.setattr("skg_site.api.valkey.PROBE_SECONDS", 0.02)
    limits = Buckets("limits")
    monkeypatch.setitem(limits.__dict__, "table", table)
    bucket = Bucket.for_rate(Rate(60, 3600))

    async def burst(requests: int) -> int:
        return sum([(await limits.take(9, bucket)).allowed for _ in range(requests)])

    allowed = await burst(20)
    for _ in range(failures):
        opened.kill()
        allowed += await burst(10)
        assert not valkey.is_up
        opened.start()
        await until_up()
        allowed += await burst(10)
    allowed += await burst(60)
    assert allowed == 60
    assert [line["event"] for line in log] == ["valkey_down", "valkey_up"] * failures


async def test_each_host_goes_on_from_the_last_count_it_knows(
    opened: ValkeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first host's requests are in the count that the second host was told last.
    hosts = [Buckets("limits"), Buckets("limits")]
    for number, host in enumerate(hosts):
        monkeypatch.setitem(host.__dict__, "table", BucketTable(tmp_path / str(number)))
    for _ in range(4):
        for host in hosts:
            assert (await host.take(10, HOURLY)).allowed
    opened.kill()
    left = [sum([(await host.take(10, HOURLY)).allowed for _ in range(10)]) for host in hosts]
    # The other's last one is what the first host had not heard of.
    assert left == [3, 2]


async def test_what_is_known_of_a_bucket_never_makes_it_emptier_than_it_is(
    opened: ValkeyServer, table: BucketTable
) -> None:
    buckets = SharedBuckets()
    # So slow that no token returns meanwhile.
    bucket = Bucket.for_rate(Rate(1000, 36_000)).in_microseconds
    with opened.client() as client:
        for _ in range(200):
            await buckets.take(11, bucket, table)
            seconds, microseconds = client.time()
            known = table.ahead(11)
            full_at = int(client.get("skg:limit:000000000000000b") or 0)
            assert 0 < known <= (full_at - seconds * 1_000_000 - microseconds) * MICROSECOND
    # No take cost more than one token.
    assert table.ahead(11) <= 200 * bucket.interval
