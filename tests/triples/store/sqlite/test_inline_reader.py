"""Reads on the event loop itself: short ones are answered there, long ones by the pool."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from django.db import DatabaseError

from tests.support.database import in_orm
from tests.triples.store.graphs import fact, store
from tests.triples.store.inferred.derived import TRANSITIVE, program, run
from triples.store.inferred.read_snapshots import VisibleFacts, in_snapshot
from triples.store.sessions import Fetch
from triples.store.sqlite import inline_reader as inline
from triples.store.sqlite.inline_reader import InlineReader

pytestmark = pytest.mark.usefixtures("database")

# Some hundred milliseconds of work.
LONG = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT count(*) FROM n"


@pytest.fixture
def reader() -> Iterator[InlineReader]:
    made = InlineReader("pool", threads=1, time_limit=60)
    yield made
    made.close()


def here(fetch: Fetch, _: object = None) -> str:
    """In which thread a read runs."""
    assert fetch("SELECT 7", []) == [(7,)]
    return threading.current_thread().name


def after_a_long_read(fetch: Fetch, _: object = None) -> str:
    assert fetch(LONG, []) == [(2_000_000,)]
    return threading.current_thread().name


async def until_it_tries_again(reader: InlineReader) -> None:
    async with asyncio.timeout(10):
        while await reader.run(here) != threading.current_thread().name:
            await asyncio.sleep(0.01)


async def test_a_short_read_is_answered_on_the_loop(reader: InlineReader) -> None:
    assert await reader.run(here) == threading.current_thread().name
    assert (reader.depth, reader.open_connections) == (0, 1)


async def test_a_long_read_goes_to_the_pool_and_none_is_tried_for_a_while(reader: InlineReader) -> None:
    assert await reader.run(after_a_long_read) == "pool-0"
    assert reader.open_connections == 2
    await until_it_tries_again(reader)


async def test_no_read_is_tried_in_the_pause_after_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inline, "PAUSE_SECONDS", 3600.0)
    reader = InlineReader("pool", threads=1, time_limit=60)
    try:
        assert await reader.run(here) == threading.current_thread().name
        await reader.run(after_a_long_read)
        assert await reader.run(here) == "pool-0"
    finally:
        reader.close()


async def test_what_goes_wrong_here_the_pool_tries_and_reports(reader: InlineReader) -> None:
    with pytest.raises(DatabaseError, match="no_such_table"):
        await reader.run(lambda fetch, _: fetch("SELECT * FROM no_such_table", []))
    await until_it_tries_again(reader)


async def test_what_a_read_itself_raises_is_its_callers(reader: InlineReader) -> None:
    with pytest.raises(ZeroDivisionError):
        await reader.run(lambda *_: 1 / 0)
    assert await reader.run(here) == threading.current_thread().name


async def test_a_second_loop_goes_to_the_pool_meanwhile(reader: InlineReader) -> None:
    threads: list[str] = []

    def read(fetch: Fetch, _: object = None) -> str:
        other = threading.Thread(target=lambda: threads.append(asyncio.run(reader.run(here))))
        other.start()
        other.join()
        return here(fetch)

    assert await reader.run(read) == threading.current_thread().name
    assert threads == ["pool-0"]


async def test_a_broken_off_read_of_inferred_facts_leaves_nothing_behind(reader: InlineReader) -> None:
    def prepare() -> None:
        store(fact("a", "p", "b"), fact("b", "p", "c"))
        run(program(TRANSITIVE))

    in_orm(prepare)
    seen: list[str] = []

    def read(fetch: Fetch, shown: VisibleFacts | None) -> object:
        assert shown is not None
        assert shown.filter is not None
        seen.append(threading.current_thread().name)
        return fetch(LONG, [])

    assert await reader.run(in_snapshot(read)) == [(2_000_000,)]
    assert seen == [threading.current_thread().name, "pool-0"]
    await until_it_tries_again(reader)
    # Not in the transaction of the read that was broken off: what has come since is seen.
    in_orm(store, fact("c", "p", "d"))
    assert await reader.run(in_snapshot(lambda fetch, _: fetch("SELECT count(*) FROM triples_triple", []))) == [(3,)]
