"""Groups whose statements are run on the event loop: seen by nobody before their commit, and none is lost."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from math import nan

import pytest
from django.conf import settings
from django.db import IntegrityError, connection

from tests.support.database import in_orm
from tests.triples.store.graphs import counted, fact, stored_rows, tallied
from triples.store.operations import AddMany, AddOne, Change, Fact, ManyStored, Outcome, Stored
from triples.store.sqlite.prepared_writer import MOST_FACTS, SMALL_BATCH, PreparingWriter, enough_cache
from triples.text import MAX_TERM_LENGTH

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def writer() -> Iterator[PreparingWriter]:
    made = PreparingWriter(patience=30)
    yield made
    made.close()


def statuses(outcomes: list[Outcome]) -> set[str]:
    return {outcome.status for outcome in outcomes if isinstance(outcome, Stored)}


async def test_more_than_a_group_holds_is_stored_in_several(writer: PreparingWriter) -> None:
    many = 5 * MOST_FACTS + 3
    outcomes = await asyncio.gather(*(writer.write(AddOne(fact(f"s{number}"))) for number in range(many)))
    assert statuses(outcomes) == {"inserted"}
    assert in_orm(tallied) == in_orm(counted) == (many, many)
    # The loop's connection did it all: the thread opened none.
    assert writer.open_connections == 1


async def test_a_large_batch_goes_to_the_thread_with_all_that_wait(writer: PreparingWriter) -> None:
    batch = AddMany([fact(f"b{number}") for number in range(100)])
    outcomes = await asyncio.gather(
        *(writer.write(AddOne(fact(f"s{number}"))) for number in range(5)), writer.write(batch)
    )
    assert outcomes[-1] == ManyStored(100, [])
    assert in_orm(tallied) == in_orm(counted) == (105, 105)


async def test_writes_go_on_while_another_program_holds_the_database(writer: PreparingWriter) -> None:
    await writer.write(AddOne(fact("before")))
    other = sqlite3.connect(settings.DATABASES["default"]["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(writer.write(AddOne(fact("during"))))
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done
    other.execute("ROLLBACK")
    other.close()
    assert isinstance(await waiting, Stored)
    assert isinstance(await writer.write(AddOne(fact("after"))), Stored)
    assert in_orm(tallied) == in_orm(counted) == (3, 3)


@pytest.mark.parametrize("more", [0, SMALL_BATCH + 1], ids=["on the loop", "in the thread"])
async def test_a_term_that_was_removed_meanwhile_is_made_again(writer: PreparingWriter, more: int) -> None:
    """The transaction looks up the terms that are remembered: the writer's connections have no foreign keys."""

    async def add(object_: str) -> Outcome:
        many = [fact("a", "p", object_), *(fact("a", "p", f"{object_}{place}") for place in range(more))]
        return await writer.write(AddMany(many))

    await add("b")
    in_orm(_remove_everything)
    assert await add("c") == ManyStored(1 + more, [])
    assert ("a", "p", "c") in in_orm(stored_rows)
    assert await add("d") == ManyStored(1 + more, [])
    assert in_orm(counted) == (2 * (1 + more), 1)
    assert in_orm(_lost_terms) == []


def _lost_terms() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        return list(cursor.execute("PRAGMA foreign_key_check").fetchall())


@pytest.mark.parametrize("more", [0, SMALL_BATCH + 1], ids=["on the loop", "in the thread"])
@pytest.mark.parametrize(
    "bad",
    [fact(""), fact("x" * (MAX_TERM_LENGTH + 1)), fact("b", weight=1.5), fact("b", weight=-0.5), fact("b", weight=nan)],
    ids=["empty", "long", "heavy", "light", "no number"],
)
async def test_what_the_tables_would_refuse_is_refused(writer: PreparingWriter, bad: Fact, more: int) -> None:
    """No request gets there with such a fact. The writer's connections are without the tables' checks."""
    with pytest.raises(IntegrityError):
        await writer.write(AddMany([fact("a"), bad, *(fact(f"s{place}") for place in range(more))]))
    assert in_orm(counted) == (0, 0)
    stored = await writer.write(AddOne(fact("a")))
    assert isinstance(stored, Stored)
    with pytest.raises(IntegrityError):
        await writer.write(Change(stored.row.id, stored.row.created_ms, weight=2))
    assert in_orm(counted) == (1, 1)


def _remove_everything() -> None:
    from triples.models import Tally, Term, Triple

    for model in (Triple, Term, Tally):
        model.objects.all().delete()


async def test_writes_from_a_second_loop_are_answered_there(writer: PreparingWriter) -> None:
    async def add(name: str) -> list[Outcome]:
        return list(await asyncio.gather(*(writer.write(AddOne(fact(f"{name}{number}"))) for number in range(100))))

    here = asyncio.create_task(add("here"))
    there = await asyncio.to_thread(asyncio.run, add("there"))
    assert statuses(await here) == statuses(there) == {"inserted"}
    assert in_orm(tallied) == in_orm(counted) == (200, 200)


def test_a_loop_that_ends_leaves_the_writer_to_the_next(writer: PreparingWriter) -> None:
    for number in range(3):
        asyncio.run(_write_and_leave(writer, number))
    assert in_orm(counted) == (3, 3)


async def _write_and_leave(writer: PreparingWriter, number: int) -> None:
    assert isinstance(await writer.write(AddOne(fact(f"s{number}"))), Stored)


async def test_what_is_prepared_is_not_to_be_seen_before_its_commit(writer: PreparingWriter) -> None:
    """A write that was answered is there for every reader; one that was not, for none."""
    answered: set[str] = set()
    seen_early: list[set[str]] = []
    stop = threading.Event()

    def watch() -> None:
        with sqlite3.connect(settings.DATABASES["default"]["NAME"]) as reader:
            while not stop.is_set():
                before = set(answered)
                found = {text for (text,) in reader.execute("SELECT text FROM triples_term")}
                if not before <= found:
                    seen_early.append(before - found)

    watcher = asyncio.create_task(asyncio.to_thread(watch))
    for number in range(200):
        stored = await writer.write(AddOne(fact(f"s{number}")))
        assert isinstance(stored, Stored)
        answered.add(stored.row.subject)
    stop.set()
    await watcher
    assert seen_early == []


@pytest.mark.parametrize(("size", "enough"), [(-64_000, -8_192), (-2_000, -2_000), (16_000, 2_048), (500, 500), (0, 0)])
def test_small_groups_keep_fewer_pages_and_never_more_than_they_may(size: int, enough: int) -> None:
    assert enough_cache(size) == enough
