"""The choice of a replica for a request."""

import asyncio
from time import monotonic

from triples.store.freshness import Freshness
from triples.store.postgresql.replicas import WAIT_SECONDS, Replica, Replicas


def replicas(*replayed: int) -> Replicas:
    members = [Replica(f"replica_{number}", f"replica {number}") for number in range(len(replayed))]
    for replica, position in zip(members, replayed, strict=True):
        replica.enter(position)
    return Replicas(members)


async def test_replicas_take_turns() -> None:
    both = replicas(10, 10)
    assert {await both.chosen(Freshness(0)) for _ in range(2)} == set(both.members)


async def test_one_that_is_far_enough_is_chosen_at_once() -> None:
    three = replicas(10, 30, 20)
    assert {await three.chosen(Freshness(25)) for _ in range(6)} == {three.members[1]}


async def test_a_request_stays_with_its_replica() -> None:
    both = replicas(10, 10)
    request = Freshness(0)
    request.replica = both.members[1]
    assert {await both.chosen(request) for _ in range(4)} == {both.members[1]}
    both.members[1].leave("gone", lost=True)
    assert await both.chosen(request) is both.members[0]


async def test_without_replicas_in_use_the_primary_answers() -> None:
    one = replicas(10)
    one.members[0].leave("gone", lost=True)
    assert await one.chosen(Freshness(0)) is None


async def test_the_first_that_gets_there_is_waited_for() -> None:
    both = replicas(10, 10)
    looks: list[int] = []
    for number, replica in enumerate(both.members):
        replica.look_now = lambda number=number: looks.append(number)  # type: ignore[misc]  # its default is no argument
    waiting = asyncio.create_task(both.chosen(Freshness(20)))
    while {*looks} != {0, 1}:
        await asyncio.sleep(0)
    both.reached(both.members[0], 19)
    both.reached(both.members[1], 20)
    assert await waiting is both.members[1]


async def test_none_is_waited_for_long() -> None:
    began = monotonic()
    assert await replicas(10).chosen(Freshness(20)) is None
    assert WAIT_SECONDS <= monotonic() - began < WAIT_SECONDS + 2


async def test_one_that_lags_is_not_waited_for() -> None:
    one = replicas(10)
    one.members[0].lag = 1.0
    began = monotonic()
    assert await one.chosen(Freshness(20)) is None
    assert monotonic() - began < WAIT_SECONDS


async def test_who_reads_a_lost_one_is_told() -> None:
    [replica] = replicas(10).members
    told: list[str] = []
    replica.abandon.append(lambda: told.append("lost"))
    replica.leave("lags", lost=False)
    assert (told, replica.replayed) == ([], 0)
    replica.leave("gone", lost=True)
    assert (told, replica.state.fault) == (["lost"], "gone")
