"""Clients of a writer with several threads: each sees its own writes in order, and no shared fact is counted twice."""

import asyncio
import itertools
from collections import Counter
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.database import in_orm
from tests.support.properties import examples
from tests.triples.store.graphs import counted, fact, stored_rows, tallied
from triples.store.operations import AddMany, AddOne, Fact, NoSuchFact, Remove
from triples.store.writer import Writer

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database", "eager_threads")]

# Examples share a database, but no fact.
numbers = itertools.count()


@pytest.fixture
def eager_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thread begins as soon as anything waits, and takes little of it."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite lets in one writer at a time")
    monkeypatch.setattr("triples.store.writer.SHARED_GROUP_FACTS", 2)


class Client:
    """A client, and what it knows of the graph: its own facts exactly, and of others how often they came and went."""

    def __init__(self, writer: Writer, name: str, shared: str, balance: Counter[str]) -> None:
        self._writer = writer
        self._name = name
        self._shared = shared
        self._balance = balance
        self.own: set[str] = set()

    async def run(self, steps: list[tuple[bool, list[tuple[bool, int]]]]) -> None:
        for adds, places in steps:
            subjects = [f"{self._name if own else self._shared} {number}" for own, number in places]
            if adds:
                await self._add(subjects)
            else:
                for subject in subjects:
                    await self._remove(subject)

    async def _add(self, subjects: list[str]) -> None:
        stored: Any = await self._writer.write(AddMany([self._fact(subject) for subject in subjects]))
        for place, subject in enumerate(subjects):
            self._note(subject, inserted=place not in stored.duplicates)

    async def _remove(self, subject: str) -> None:
        stored: Any = await self._writer.write(AddOne(self._fact(subject)))
        self._note(subject, inserted=stored.status == "inserted")
        try:
            await self._writer.write(Remove(stored.row.id, stored.row.created_ms))
        except NoSuchFact:
            assert not subject.startswith(self._name)
        else:
            self._balance[subject] -= 1
            self.own.discard(subject)

    def _note(self, subject: str, *, inserted: bool) -> None:
        self._balance[subject] += inserted
        if subject.startswith(self._name):
            assert inserted == (subject not in self.own)
            self.own.add(subject)

    def _fact(self, subject: str) -> Fact:
        # The object is a subject of others, so that writers meet over its row.
        return fact(subject, object_=f"{self._shared} 0")


steps = st.tuples(st.booleans(), st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=6))


@settings(max_examples=examples(0.3))
@given(st.lists(st.lists(steps, max_size=4), min_size=2, max_size=5))
def test_facts_come_and_go_once_for_all(plan: list[list[Any]]) -> None:
    prefix = f"{next(numbers)} "
    balance, clients = asyncio.run(_follow(plan, prefix))
    assert set(balance.values()) <= {0, 1}
    standing = {key[0] for key in in_orm(stored_rows) if key[0].startswith(prefix)}
    assert standing == {subject for subject, number in balance.items() if number}
    for client in clients:
        assert client.own <= standing
    assert in_orm(tallied) == in_orm(counted)


async def _follow(plan: list[list[Any]], prefix: str) -> tuple[Counter[str], list[Client]]:
    balance: Counter[str] = Counter()
    writer = Writer(30, threads=3)
    clients = [Client(writer, f"{prefix}own {number}", f"{prefix}shared", balance) for number in range(len(plan))]
    try:
        async with asyncio.TaskGroup() as group:
            for client, steps_of_one in zip(clients, plan, strict=True):
                group.create_task(client.run(steps_of_one))
    finally:
        await asyncio.to_thread(writer.close)
    return balance, clients
