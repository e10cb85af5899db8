"""What was acknowledged is kept, however the service's processes end.

CRASH_WORKERS, CRASH_CLIENTS and CRASH_SECONDS make the run larger than the suite has time for; with
--log-cli-level=INFO it says how many facts it counted.
"""

import asyncio
import itertools
import logging
import os
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import httpx

from tests.conftest import StartService
from tests.support.service import Service

WORKERS = int(os.environ.get("CRASH_WORKERS", "4"))
CLIENTS = int(os.environ.get("CRASH_CLIENTS", "12"))
SECONDS = float(os.environ.get("CRASH_SECONDS", "4"))
BATCH = 10

log = logging.getLogger(__name__)

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


async def test_every_answered_fact_survives_the_loss_of_a_worker_and_of_the_whole_service(
    service: StartService,
) -> None:
    one = service(workers=WORKERS)
    ledger = Ledger()
    clients = [asyncio.create_task(write_for_ever(one, number, ledger)) for number in range(CLIENTS)]
    await asyncio.sleep(SECONDS / 2)
    answered_by_all = len(ledger.answered)
    os.kill(random.choice(one.workers), signal.SIGKILL)
    await asyncio.sleep(SECONDS / 2)
    one.kill()
    answered_before = ledger.answered
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    assert ledger.answered == answered_before, "a service without processes answered"

    one.start()
    found = list(stored_facts(one))
    lost = ledger.answered.difference(found)
    log.info("answered %d, found %d, lost %d", len(ledger.answered), len(found), len(lost))
    assert not lost
    assert ledger.other_answers == {}
    assert 0 < answered_by_all < len(ledger.answered), "the clients did not write all the time"
    assert_nothing_was_stored_by_halves(ledger, found)
    assert_statistics_are_true(one, found)


async def write_for_ever(one: Service, client_number: int, ledger: Ledger) -> None:
    """Write single facts and batches in turns; when the connection breaks, make another."""
    numbers = itertools.count()
    while True:
        try:
            async with httpx.AsyncClient(base_url=one.url, headers=one.headers, timeout=30) as client:
                for number in numbers:
                    await write(client, f"{client_number}-{number}", number % 2 * (BATCH - 1) + 1, ledger)
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


def assert_nothing_was_stored_by_halves(ledger: Ledger, found: list[Fact]) -> None:
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
    with closing(sqlite3.connect(one.folder / "skg.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
