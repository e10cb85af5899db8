"""The graph as the API's views use it: its threads, and what they are asked."""

import asyncio
import os
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.support.database import in_orm
from tests.triples.store.graphs import fact, store, stored_rows
from triples.query.reads import Wanted
from triples.services.graph import Graph
from triples.store.operations import AddOne, NoSuchFact, Stored

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


@pytest.fixture
def graph() -> Iterator[Graph]:
    one = Graph()
    yield one
    one.close()


async def test_what_is_written_can_be_read_at_once(graph: Graph) -> None:
    for number in range(20):
        stored = await graph.write(AddOne(fact("a", object_=f"o{number}", weight=0.5, metadata='{"n":1}')))
        assert isinstance(stored, Stored)
        row = stored.row
        assert await graph.fact(row.id, row.created_ms) == row
        found = await graph.heaviest(Wanted(("a", "p", f"o{number}")), k=1, with_metadata=True)
        assert found == ([row], 1, False)
        assert row in await graph.page(Wanted(("a", None, None)), limit=100, after=None)


async def test_a_fact_is_found_by_its_key_and_its_time_together(graph: Graph) -> None:
    in_orm(store, fact("a"))
    row = in_orm(stored_rows)["a", "p", "o"]
    assert await graph.fact(row.id, row.created_ms) == row
    for id_, created_ms in ((row.id, row.created_ms + 1), (row.id + 1, row.created_ms), (2**62 - 1, 0)):
        with pytest.raises(NoSuchFact):
            await graph.fact(id_, created_ms)


async def test_statistics_count_what_is_there(graph: Graph) -> None:
    assert (await graph.statistics())[:3] == (0, 0, 0)
    in_orm(store, fact("a", "p"), fact("a", "q"), fact("b", "q"), fact("b", "r", "a"))
    found = await graph.statistics()
    assert (found.triples, found.subjects, found.predicates) == (4, 2, 3)
    assert found.size_bytes > 10_000
    assert found.recursion is None


async def test_its_connections_are_counted_and_kept(graph: Graph) -> None:
    assert graph.running.open_connections == 0
    for _ in range(3):
        await graph.write(AddOne(fact("a")))
        await asyncio.gather(*(graph.fact(1, 1) for _ in range(20)), return_exceptions=True)
    # One for the writer, at most one for each of the four threads that read.
    assert 2 <= graph.running.open_connections <= 5


async def test_a_closed_graph_starts_again_when_it_is_used(graph: Graph) -> None:
    await graph.write(AddOne(fact("a")))
    first = graph.running
    await asyncio.to_thread(graph.close)
    assert (await graph.statistics()).triples == 1
    assert graph.running is not first
    await asyncio.to_thread(graph.close)
    graph.close()


async def test_a_forked_process_starts_threads_of_its_own(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    parents = graph.running
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert graph.running.pid == -1
    assert graph.running.writer is not parents.writer
    await asyncio.to_thread(graph.close)
    monkeypatch.undo()
    for part in (parents.writer, parents.short, parents.long):
        await asyncio.to_thread(part.close)


async def test_reads_do_not_wait_for_a_writer(graph: Graph) -> None:
    in_orm(store, fact("a"))
    await graph.write(AddOne(fact("b")))
    with OpenTransaction():
        found = await graph.heaviest(Wanted((None, None, None)), k=10, with_metadata=False)
    assert found.total == 2


class OpenTransaction:
    """A writer in the middle of its work."""

    def __enter__(self) -> None:
        in_orm(self._begin)

    def __exit__(self, *_: object) -> None:
        in_orm(self._roll_back)

    def _begin(self) -> None:
        connection.set_autocommit(False)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM triples_triple")

    def _roll_back(self) -> None:
        connection.rollback()
        connection.set_autocommit(True)
