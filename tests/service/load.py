"""Clients that write all the time, and what they were told."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.support.service import Service

BATCH = 10

Fact = tuple[str, str, str]


@dataclass
class Write:
    """One request: the facts in it, and whether it was answered that they are stored."""

    facts: list[Fact]
    answered: bool = False


@dataclass
class Ledger:
    """What the clients sent."""

    writes: list[Write] = field(default_factory=list)
    other_answers: Counter[int] = field(default_factory=Counter)

    @property
    def answered(self) -> set[Fact]:
        return {fact for write in self.writes if write.answered for fact in write.facts}

    async def fill(self, seconds: float) -> None:
        """Wait so long, and on a busy machine until anything new has been answered at all."""
        before = len(self.answered)
        await asyncio.sleep(seconds)
        async with asyncio.timeout(30):
            while len(self.answered) == before:
                await asyncio.sleep(0.1)


@asynccontextmanager
async def writing(one: Service, clients: int, name: str = "") -> AsyncIterator[Ledger]:
    """So many clients, each with its own connection, until the block ends; `name` begins all of their subjects."""
    ledger = Ledger()
    done = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(write_until(done, one, f"{name}{number}", ledger))
        try:
            yield ledger
        finally:
            done.set()


async def write_until(done: asyncio.Event, one: Service, client_name: str, ledger: Ledger) -> None:
    """Write single facts and batches in turns; when the connection breaks, make another."""
    numbers = itertools.count()
    while not done.is_set():
        try:
            async with httpx.AsyncClient(base_url=one.url, headers=one.headers, timeout=30) as client:
                while not done.is_set():
                    number = next(numbers)
                    await write(client, f"{client_name}-{number}", number % 2 * (BATCH - 1) + 1, ledger)
        except httpx.TransportError:
            await asyncio.sleep(0.02)


async def write(client: httpx.AsyncClient, subject: str, count: int, ledger: Ledger) -> None:
    this = Write([(subject, "counts", str(number)) for number in range(count)])
    ledger.writes.append(this)
    bodies = [dict(zip(("subject", "predicate", "object"), fact, strict=True)) for fact in this.facts]
    if count == 1:
        answer = await client.post("/triples/add", json=bodies[0])
    else:
        answer = await client.post("/triples/batch", json={"triples": bodies})
    if answer.status_code in {201, 202}:
        this.answered = True
    else:
        ledger.other_answers[answer.status_code] += 1


def stored_facts(one: Service) -> Iterator[Fact]:
    """All that the service lists, page by page."""
    parameters = {"limit": "1000"}
    with one.client() as client:
        while True:
            page = client.get("/triples", params=parameters).raise_for_status().json()
            for row in page["triples"]:
                yield row["subject"], row["predicate"], row["object"]
            if page["next_cursor"] is None:
                return
            parameters["cursor"] = page["next_cursor"]


def assert_each_request_is_whole_or_missing(ledger: Ledger, found: list[Fact]) -> None:
    stored = set(found)
    assert len(stored) == len(found)
    for request in ledger.writes:
        assert len(stored.intersection(request.facts)) in {0, len(request.facts)}
        stored.difference_update(request.facts)
    assert not stored, "facts that nobody sent"


def assert_statistics_are_true(one: Service, found: list[Fact]) -> None:
    with one.client() as client:
        statistics = client.get("/stats").json()
    assert statistics["total_triples"] == len(found)
    assert statistics["unique_subjects"] == len({subject for subject, _, _ in found})
    assert statistics["unique_predicates"] == 1


def assert_terms_are_found(one: Service, found: list[Fact]) -> None:
    """Every subject of the oldest, the newest and some other facts is found by its name."""
    subjects = list(dict.fromkeys(subject for subject, _, _ in found))
    drawn = {*subjects[:10], *subjects[-40:], *random.sample(subjects, min(40, len(subjects)))}
    with one.client() as client:
        for subject in drawn:
            asked = {"search": subject, "match": "substring", "limit": "50"}
            terms = client.get("/terms", params=asked).raise_for_status().json()["terms"]
            assert subject in {each["term"] for each in terms}
