"""Where a request's commit is in the log, as the writer tells it, whichever of its threads made the commit."""

import asyncio

import pytest
from django.db import connection

from tests.support.database import in_orm
from tests.triples.store.graphs import fact
from triples.store.freshness import FRESHNESS, Freshness
from triples.store.operations import AddOne
from triples.store.postgresql.positions import end_of_log
from triples.store.postgresql.replicated_writer import ReplicatedWriter

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


async def test_positions_only_grow_whichever_thread_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no replicas")
    monkeypatch.setattr("triples.store.writer.SHARED_GROUP_FACTS", 2)
    writer = ReplicatedWriter(30, 3)
    before = in_orm(_end)
    told: list[int] = []

    async def write(number: int) -> None:
        freshness = Freshness(0)
        FRESHNESS.set(freshness)
        await writer.write(AddOne(fact(f"s{number}")))
        told.append(freshness.written)

    try:
        await asyncio.gather(*map(write, range(60)))
    finally:
        await asyncio.to_thread(writer.close)
    assert told == sorted(told)
    assert before < told[0] <= told[-1] <= in_orm(_end)


def _end() -> int:
    connection.ensure_connection()
    return end_of_log(connection.connection)
