"""Deletions by pattern against a plain filter, and their previews against what then happens."""

import asyncio
from typing import Any

import pytest
from django.db import OperationalError, connection
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.database import empty_tables, in_orm
from tests.support.properties import examples
from tests.triples.store.graphs import counted, fact, store, stored_rows, tallied
from triples.query import reads
from triples.query.deleting import Deletion, Place
from triples.query.explanations import own_connection
from triples.query.reads import Wanted
from triples.services import deletions
from triples.services.deletions import deletion_perform_now, deletion_preview_now
from triples.store.group_commit import write_now
from triples.store.operations import AddOne, Fact, Operation, Outcome, Row

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that a few facts take several of them."""
    monkeypatch.setattr(deletions, "BATCH", 2)
    monkeypatch.setattr(deletions, "_LOOKED_AT", 3)
    monkeypatch.setattr("triples.query.deleting.BATCH", 2)
    monkeypatch.setattr("triples.query.deleting._COUNTED_AT_ONCE", 3)


names = st.sampled_from("abc")
weights = st.sampled_from([0.0, 0.25, 0.5, 1.0])
facts = st.lists(
    st.tuples(st.builds(fact, names, st.sampled_from("pq"), names, weights), st.integers(0, 5)),
    max_size=12,
    unique_by=lambda one: one[0][:3],
)
maybe = st.none()
times = maybe | st.integers(0, 5)
wanted = st.builds(
    Deletion, st.tuples(maybe | names, maybe | st.sampled_from("pq"), maybe | names), weights, weights, times, times
)


def matches(row: Row, deletion: Deletion) -> bool:
    places = zip(deletion.pattern, (row.subject, row.predicate, row.object), strict=True)
    return (
        all(term in {None, own} for term, own in places)
        and deletion.min_weight <= row.weight <= deletion.max_weight
        and (deletion.added_after is None or deletion.added_after < row.created_ms)
        and (deletion.added_before is None or row.created_ms < deletion.added_before)
    )


@given(facts, wanted)
@settings(max_examples=examples(0.6))
def test_what_matches_goes_and_nothing_else(given_facts: list[tuple[Fact, int]], deletion: Deletion) -> None:
    in_orm(_delete_and_compare, given_facts, deletion)


def _delete_and_compare(given_facts: list[tuple[Fact, int]], deletion: Deletion) -> None:
    empty_tables()
    fill(given_facts)
    before = stored_rows()
    going = {key for key, row in before.items() if matches(row, deletion)}
    found = deletion_preview_now(deletion=deletion)
    assert (found.facts, found.inferred, found.hides_all, found.complete) == (len(going), 0, False, True)
    assert stored_rows() == before
    reported: list[int] = []
    assert deletion_perform_now(deletion=deletion, report=reported.append) == len(going)
    assert reported == sorted(set(reported))
    assert reported[-1:] == [len(going)] * bool(going)
    assert stored_rows().keys() == before.keys() - going
    assert tallied() == counted()


def fill(given_facts: list[tuple[Fact, int]]) -> None:
    """Store facts that were added at these milliseconds."""
    store(*(one for one, _ in given_facts))
    ids = {key: row.id for key, row in stored_rows().items()}
    with connection.cursor() as cursor:
        for one, created_ms in given_facts:
            cursor.execute("UPDATE triples_triple SET created_at = %s WHERE id = %s", [created_ms, ids[one[:3]]])


links = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), min_size=2, max_size=9, unique=True)


@given(links, st.lists(st.tuples(maybe | st.sampled_from("abcdef"), weights), min_size=1, max_size=2))
@settings(max_examples=examples(0.4))
def test_a_preview_says_how_many_inferred_facts_a_deletion_hides(
    pairs: list[tuple[str, str]], going: list[tuple[str | None, float]]
) -> None:
    in_orm(_foresee, pairs, [Deletion((subject, "p", None), 0, weight) for subject, weight in going])


def _foresee(pairs: list[tuple[str, str]], going: list[Deletion]) -> None:
    from tests.triples.store.inferred.derived import TRANSITIVE, program, run

    empty_tables()
    store(*(fact(subject, "p", object_, 0.25 * (1 + place % 3)) for place, (subject, object_) in enumerate(pairs)))
    run(program(TRANSITIVE))
    for deletion in going:
        before = inferred_facts()
        found = deletion_preview_now(deletion=deletion)
        assert not found.hides_all
        assert inferred_facts() == before
        assert deletion_perform_now(deletion=deletion, report=lambda _: None) == found.facts
        assert inferred_facts() == before - found.inferred


def inferred_facts() -> int:
    """Those that are shown."""
    with own_connection() as (session, dialect, shown):
        return reads.total(session.rows, dialect, shown, Wanted((None, None, None), asserted=False))


def test_more_than_the_budget_hides_everything_as_the_preview_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triples.store.inferred.dependents.MOST_FACTS", 1)
    in_orm(_spend)


def _spend() -> None:
    from tests.triples.store.inferred.derived import TRANSITIVE, program, run

    store(*(fact(subject, "p", object_) for subject, object_ in ("ab", "bc", "cd", "de")))
    run(program(TRANSITIVE))
    assert inferred_facts() == 6
    deletion = Deletion(("b", "p", "c"))
    found = deletion_preview_now(deletion=deletion)
    assert (found.facts, found.hides_all, found.complete) == (1, True, True)
    deletion_perform_now(deletion=deletion, report=lambda _: None)
    assert inferred_facts() == 0
    assert deletion_preview_now(deletion=Deletion(("a", "p", "b"))).hides_all


def test_a_preview_that_has_no_time_says_what_it_has_seen() -> None:
    in_orm(store, *(fact(f"s{number}", object_="o") for number in range(8)))
    found = in_orm(lambda: deletion_preview_now(deletion=Deletion((None, None, "o")), seconds=0))
    assert (found.facts, found.complete) == (3, False)
    # The tallies know how many have one predicate.
    found = in_orm(lambda: deletion_preview_now(deletion=Deletion((None, "p", None)), seconds=0))
    assert (found.facts, found.complete) == (8, True)


def test_a_fact_that_has_got_another_weight_since_it_was_picked_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    in_orm(store, fact("a", weight=0.1), fact("b", weight=0.1), fact("c", weight=0.1))

    def reweighted_first(operations: list[Operation]) -> list[Outcome]:
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE triples_triple SET weight = 0.9 WHERE subject_id IN ({_ID_OF_B})")
        return write_now(operations)

    monkeypatch.setattr(deletions, "write_now", reweighted_first)
    gone = in_orm(lambda: deletion_perform_now(deletion=Deletion((None,) * 3, max_weight=0.5), report=lambda _: None))
    assert gone == 2
    assert [key[0] for key in in_orm(stored_rows)] == ["b"]


_ID_OF_B = "SELECT id FROM triples_term WHERE text = 'b'"


def test_what_breaks_off_leaves_whole_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    in_orm(store, *(fact(f"s{number}", weight=1 - number / 10) for number in range(7)))
    written: list[Any] = []

    def fail_at_third(operations: list[Operation]) -> list[Outcome]:
        written.append(operations)
        if len(written) == 3:
            raise OperationalError("gone")
        return write_now(operations)

    monkeypatch.setattr(deletions, "write_now", fail_at_third)
    with pytest.raises(OperationalError):
        in_orm(lambda: deletion_perform_now(deletion=Deletion((None, "p", None)), report=lambda _: None))
    # The heaviest went first.
    assert sorted(key[0] for key in in_orm(stored_rows)) == ["s4", "s5", "s6"]
    assert in_orm(tallied) == in_orm(counted) == (3, 3)


async def test_over_http_it_goes_on_where_the_time_was_over(monkeypatch: pytest.MonkeyPatch) -> None:
    in_orm(store, *(fact(f"s{number}", weight=1 - number / 10) for number in range(5)))
    monkeypatch.setattr(deletions, "PART_OF_TIME", 0.0)
    deletion = Deletion((None, "p", None))
    done = await deletions.deletion_perform(deletion=deletion)
    assert done.facts == 2
    assert done.after == Place(0.9, in_orm(stored_ids)[0] - 1)
    done = await deletions.deletion_perform(deletion=deletion, after=done.after)
    assert done.facts == 2
    done = await deletions.deletion_perform(deletion=deletion, after=done.after)
    assert done == (1, None)
    assert in_orm(stored_rows) == {}


def stored_ids() -> list[int]:
    return sorted(row.id for row in stored_rows().values())


async def test_of_two_who_delete_the_same_each_counts_what_it_deleted() -> None:
    in_orm(store, *(fact(f"s{number}", weight=1 - number / 30) for number in range(21)))
    deletion = Deletion((None, "p", None))
    done = await asyncio.gather(*(deletions.deletion_perform(deletion=deletion) for _ in range(3)))
    assert sum(one.facts for one in done) == 21
    assert in_orm(tallied) == in_orm(counted) == (0, 0)


async def test_others_write_in_between() -> None:
    from triples.services.graph import graph

    in_orm(store, *(fact(f"s{number:02}") for number in range(60)))
    deletion = asyncio.create_task(deletions.deletion_perform(deletion=Deletion((None, "p", None))))
    for number in range(3):
        await graph.write(AddOne(fact(f"new {number}", "q")))
        assert not deletion.done()
    assert (await deletion).facts == 60
    assert {key[0] for key in in_orm(stored_rows)} == {"new 0", "new 1", "new 2"}
    assert in_orm(tallied) == in_orm(counted)


async def test_who_goes_away_leaves_whole_batches() -> None:
    from triples.services.graph import graph

    in_orm(store, *(fact(f"s{number:02}") for number in range(60)))
    deletion = asyncio.create_task(deletions.deletion_perform(deletion=Deletion((None, "p", None))))
    while in_orm(counted) == (60, 60):
        await asyncio.sleep(0)
    deletion.cancel()
    await asyncio.wait([deletion])
    # What has begun is committed before this.
    await graph.write(AddOne(fact("new", "q")))
    left = len(in_orm(stored_rows)) - 1
    assert 0 < left < 60
    assert left % 2 == 0
    assert in_orm(tallied) == in_orm(counted)
