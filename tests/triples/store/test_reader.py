"""The pooled reader: off the loop, for a limited time, and stopped when nobody waits any more."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import DatabaseError, OperationalError, connection

from tests.support.database import disconnect_all
from tests.triples.store.graphs import fresh_pool
from triples.store.operations import ReadTimeout
from triples.store.read_jobs import MOST_RESULTS
from triples.store.reader import Reader
from triples.store.sessions import Fetch

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

# Counts for hours.
ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT count(*) FROM n"

MakeReader = Callable[..., Reader]


@pytest.fixture
def make_reader() -> Iterator[MakeReader]:
    made: list[Reader] = []

    def make(threads: int = 1, time_limit: float = 60) -> Reader:
        made.append(Reader("test", threads, time_limit))
        return made[-1]

    yield make
    for reader in made:
        reader.close()


def endless(fetch: Fetch, _: object = None) -> object:
    return fetch(ENDLESS, [])


def quick(fetch: Fetch, _: object = None) -> int:
    [(number,)] = fetch("SELECT 7", [])
    return int(number)


async def test_a_read_is_answered(make_reader: MakeReader) -> None:
    reader = make_reader()
    assert await reader.run(quick) == 7
    assert (reader.depth, reader.open_connections) == (0, 1)


async def test_many_reads_are_answered_by_few_threads(make_reader: MakeReader) -> None:
    reader = make_reader(threads=3)
    assert await asyncio.gather(*(reader.run(quick) for _ in range(500))) == [7] * 500


class Result:
    """Counts those of its kind that are in memory."""

    alive = 0

    def __init__(self) -> None:
        Result.alive += 1

    def __del__(self) -> None:
        Result.alive -= 1


async def test_threads_do_not_read_ahead_of_callers_that_take_long(make_reader: MakeReader) -> None:
    threads = 3
    reader = make_reader(threads=threads)

    async def read() -> int:
        result = await reader.run(lambda *_: Result())
        # As long as it may take on the loop to make the JSON of a large result.
        time.sleep(0.005)  # noqa: ASYNC251  # the loop is to be busy
        return result.alive

    assert max(await asyncio.gather(*(read() for _ in range(60)))) <= MOST_RESULTS + threads + 1


async def test_an_idle_thread_keeps_nothing_of_what_it_has_read(make_reader: MakeReader) -> None:
    reader = make_reader()
    async with asyncio.timeout(10):
        assert isinstance(await reader.run(lambda *_: Result()), Result)
        while Result.alive:
            await asyncio.sleep(0.001)


async def test_what_a_read_raises_is_its_callers(make_reader: MakeReader) -> None:
    reader = make_reader()
    with pytest.raises(ZeroDivisionError):
        await reader.run(lambda *_: 1 / 0)
    with pytest.raises(DatabaseError, match="no_such_table"):
        await reader.run(lambda fetch, _: fetch("SELECT * FROM no_such_table", []))
    assert await reader.run(quick) == 7


async def test_a_read_that_takes_too_long_is_interrupted_in_the_database(make_reader: MakeReader) -> None:
    reader = make_reader(time_limit=0.3)
    with pytest.raises(ReadTimeout):
        await reader.run(endless)
    # The only thread is free again.
    assert await reader.run(quick) == 7


async def test_the_time_in_the_queue_counts(make_reader: MakeReader) -> None:
    reader = make_reader(time_limit=0.3)
    outcomes = await asyncio.gather(reader.run(endless), reader.run(endless), return_exceptions=True)
    # Whose read never began can do nothing about it.
    assert [type(outcome) for outcome in outcomes] == [ReadTimeout, OperationalError]
    assert await reader.run(quick) == 7


async def test_a_read_whose_caller_leaves_is_interrupted(make_reader: MakeReader) -> None:
    reader = make_reader()
    started = threading.Event()

    def read(fetch: Fetch, _: object = None) -> object:
        started.set()
        return endless(fetch)

    leaving = asyncio.create_task(reader.run(read))
    await asyncio.to_thread(started.wait)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await reader.run(quick) == 7


async def test_a_read_whose_caller_left_before_it_began_never_begins(make_reader: MakeReader) -> None:
    reader = make_reader()
    release = threading.Event()
    busy = asyncio.create_task(reader.run(lambda *_: release.wait()))
    begun: list[bool] = []
    waiting = asyncio.create_task(reader.run(lambda *_: begun.append(True)))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    release.set()
    await busy
    assert await reader.run(quick) == 7
    assert begun == []


async def test_a_read_is_stopped_between_its_statements(make_reader: MakeReader) -> None:
    reader = make_reader()
    first, left = threading.Event(), threading.Event()
    seen: list[str] = []

    def read(fetch: Fetch, _: object = None) -> object:
        quick(fetch)
        first.set()
        left.wait()
        try:
            return endless(fetch)
        except ReadTimeout:
            seen.append("stopped")
            raise

    leaving = asyncio.create_task(reader.run(read))
    await asyncio.to_thread(first.wait)
    leaving.cancel()
    await asyncio.wait([leaving])
    left.set()
    assert await reader.run(quick) == 7
    assert seen == ["stopped"]


async def test_an_interrupt_that_came_too_early_comes_again(make_reader: MakeReader) -> None:
    reader = make_reader()
    begun, left = threading.Event(), threading.Event()

    def read(_fetch: Fetch, _: object = None) -> object:
        begun.set()
        left.wait()
        # As if the interrupt had come after `fetch` looked and before the database began.
        return connection.connection.execute(ENDLESS).fetchall()

    leaving = asyncio.create_task(reader.run(read))
    await asyncio.to_thread(begun.wait)
    leaving.cancel()
    await asyncio.wait([leaving])
    left.set()
    assert await reader.run(quick) == 7


async def test_quick_reads_are_answered_while_a_slow_one_runs(make_reader: MakeReader) -> None:
    reader = make_reader(threads=2)
    slow = asyncio.create_task(reader.run(endless))
    for _ in range(20):
        assert await reader.run(quick) == 7
    assert not slow.done()
    assert reader.depth == 1
    slow.cancel()
    await asyncio.wait([slow])


async def test_no_read_is_hit_by_an_interrupt_that_was_meant_for_another(make_reader: MakeReader) -> None:
    reader = make_reader(threads=2)

    async def leave() -> None:
        leaving = asyncio.create_task(reader.run(endless))
        await asyncio.sleep(0.005)
        leaving.cancel()
        await asyncio.wait([leaving])

    async def stay() -> None:
        for _ in range(30):
            assert await reader.run(quick) == 7

    await asyncio.gather(stay(), *(leave() for _ in range(10)), stay())


async def test_a_lost_connection_costs_no_read(make_reader: MakeReader) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a file cannot be disconnected from")
    fresh_pool()
    reader = make_reader(threads=3)
    for _ in range(3):
        assert await asyncio.gather(*(reader.run(quick) for _ in range(20))) == [7] * 20
        disconnect_all()
    assert await asyncio.gather(*(reader.run(quick) for _ in range(20))) == [7] * 20
