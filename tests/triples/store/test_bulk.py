"""Facts in bulk: what is stored, what is counted, and how long others wait."""

from collections.abc import Collection, Sequence
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.database import empty_tables, in_orm
from tests.support.properties import examples
from tests.triples.store.graphs import counted, fact, load_first, store, stored_rows, tallied
from triples.store import bulk
from triples.store.backend import backend
from triples.store.bulk import Loaded, Loader, Watermark, is_stored, newest_fact
from triples.store.group_commit import open_session, write_now
from triples.store.operations import Fact, Remove
from triples.store.sessions import LoadedFacts, RowKey, Session
from triples.text import MAX_TERM_LENGTH

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


def contents() -> dict[tuple[str, str, str], tuple[float, str | None]]:
    return {key: (row.weight, row.metadata) for key, row in stored_rows().items()}


def test_new_facts_are_stored_and_tallied() -> None:
    assert Loader().load([fact("a"), fact("a", "q"), fact("b", weight=0.5, metadata='{"x":1.0}')]) == Loaded(3, 0, 0)
    assert contents() == {
        ("a", "p", "o"): (1.0, None),
        ("a", "q", "o"): (1.0, None),
        ("b", "p", "o"): (0.5, '{"x":1.0}'),
    }
    assert tallied() == counted() == (3, 2)


def test_a_fact_that_stands_is_kept_and_the_first_of_several_wins() -> None:
    store(fact("a", weight=0.1))
    chunk = [fact("a", weight=0.2), fact("b", weight=0.3), fact("b", weight=0.4, metadata="{}")]
    assert Loader().load(chunk) == Loaded(1, 0, 2)
    assert contents() == {("a", "p", "o"): (0.1, None), ("b", "p", "o"): (0.3, None)}
    assert tallied() == counted()


def test_with_replace_the_last_of_several_wins() -> None:
    store(fact("a", weight=0.1), fact("b", weight=0.5), fact("c", metadata='{"x":1}'))
    chunk = [fact("a", weight=0.2), fact("b", weight=0.5), fact("c"), fact("d", weight=0.3), fact("d", weight=0.4)]
    loader = Loader(replace=True)
    assert loader.load(chunk) == Loaded(1, 2, 2)
    assert loader.load(chunk) == Loaded(0, 0, 5)
    rows = stored_rows()
    assert {key[0]: (row.weight, row.metadata) for key, row in rows.items()} == {
        "a": (0.2, None),
        "b": (0.5, None),
        "c": (1.0, None),
        "d": (0.4, None),
    }
    assert [key[0] for key, row in sorted(rows.items()) if row.updated_ms is not None] == ["a", "c"]
    assert tallied() == counted()


def test_a_subject_that_lost_its_facts_is_counted_anew() -> None:
    loader = Loader()
    loader.load([fact("a")])
    [row] = stored_rows().values()
    write_now([Remove(row.id, row.created_ms)])
    assert loader.load([fact("a", "q"), fact("o", "p", "a")]) == Loaded(2, 0, 0)
    assert tallied() == counted() == (2, 2)


names = st.sampled_from("abcdef")
chunks = st.lists(
    st.lists(st.builds(fact, names, names, names, st.sampled_from([0.25, 0.5])), min_size=1, max_size=6), max_size=5
)


@given(chunks, st.booleans())
@settings(max_examples=examples(0.5))
def test_any_chunks_leave_what_one_fact_at_a_time_would(loads: list[list[Fact]], replace: bool) -> None:
    in_orm(empty_tables)
    loader = Loader(replace=replace)
    expected: dict[tuple[str, str, str], float] = {}
    for chunk in loads:
        before = dict(expected)
        for one in chunk:
            if replace or one[:3] not in expected:
                expected[one[:3]] = one.weight
        loaded = loader.load(chunk)
        assert loaded.inserted == len(expected) - len(before)
        assert loaded.updated == sum(expected[key] != weight for key, weight in before.items())
        assert sum(loaded) == len(chunk)
    assert {key: row.weight for key, row in stored_rows().items()} == expected
    assert tallied() == counted()


@given(chunks, st.booleans(), st.integers(0, 5))
@settings(max_examples=examples(0.5))
def test_the_heaviest_of_several_is_stored_in_whichever_chunks_they_are(
    loads: list[list[Fact]], replace: bool, broken_after: int
) -> None:
    in_orm(empty_tables)
    standing = fact("a", "a", "a", 0.4)
    store(standing)
    loader = Loader(replace=replace, greatest=True)
    expected: dict[tuple[str, str, str], float] = {}
    for number, chunk in enumerate(loads):
        if number == broken_after:
            # What another process goes on with.
            began, loader = loader.began, Loader(replace=replace, greatest=True)
            loader.began = began
        for one in chunk:
            expected[one[:3]] = max(one.weight, expected.get(one[:3], 0.0))
        assert sum(loader.load(chunk)) == len(chunk)
    if not replace or standing[:3] not in expected:
        expected[standing[:3]] = standing.weight
    assert {key: row.weight for key, row in stored_rows().items()} == expected
    assert tallied() == counted()


@pytest.mark.parametrize(
    ("weights", "expected"), [((0.9, 0.2), 0.9), ((0.2, 0.9, 0.5), 0.9), ((0.5, 0.2), 0.5), ((0.2, 0.2), 0.2)]
)
def test_with_replace_a_fact_as_it_stood_counts_among_those_that_are_loaded(
    weights: Sequence[float], expected: float
) -> None:
    store(fact("a", weight=0.9))
    loader = Loader(replace=True, greatest=True)
    for weight in weights:
        loader.load([fact("a", weight=weight), fact("b")])
    assert stored_rows()["a", "p", "o"].weight == expected


def test_what_was_rolled_back_was_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    store(fact("a", weight=0.9))
    failing = iter([OperationalError("the connection broke")])
    record = bulk._record_denials

    def broken(*args: Any) -> None:
        record(*args)
        for error in failing:
            raise error

    monkeypatch.setattr(bulk, "_record_denials", broken)
    Loader(replace=True, greatest=True).load([fact("a", weight=0.2)])
    assert stored_rows()["a", "p", "o"].weight == 0.2


def test_new_facts_are_counted_without_being_stored() -> None:
    store(fact("a"), fact("b"))
    chunk = [fact("a"), fact("a", "q"), fact("a", "q"), fact("b", "p", "a"), fact("new"), fact("new"), fact("a", "b")]
    assert Loader().count_new(chunk) == 4
    assert len(stored_rows()) == 2
    assert Loader().load(chunk).inserted == 4


def test_a_watermark_is_the_newest_fact_and_is_missed_when_it_is_gone() -> None:
    assert newest_fact() is None
    store(fact("a"))
    store(fact("b"))
    watermark = newest_fact()
    assert watermark is not None
    row = stored_rows()["b", "p", "o"]
    assert watermark == (row.id, row.created_ms)
    assert is_stored(watermark)
    assert not is_stored(Watermark(row.id, row.created_ms + 1))
    write_now([Remove(*watermark)])
    assert not is_stored(watermark)


@pytest.fixture
def broken_once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first attempts fail as many times as the list says; it tells how many attempts there were."""
    failures_and_attempts = [1, 0]
    write = Loader._write

    def break_or_write(self: Loader, *arguments: object) -> Loaded:
        failures_and_attempts[1] += 1
        if failures_and_attempts[1] <= failures_and_attempts[0]:
            raise OperationalError("deadlock detected")
        return write(self, *arguments)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(Loader, "_write", break_or_write)
    return failures_and_attempts


def test_a_chunk_that_other_writers_were_in_the_way_of_is_tried_again(broken_once: list[int]) -> None:
    assert Loader().load([fact("a")]) == Loaded(1, 0, 0)
    assert broken_once[1] == 2


def test_a_chunk_that_fails_again_and_again_stores_nothing(broken_once: list[int]) -> None:
    broken_once[0] = 100
    with pytest.raises(OperationalError):
        Loader().load([fact("a")])
    assert broken_once[1] == 3
    assert stored_rows() == {}


def test_a_chunk_is_tried_again_when_its_facts_are_removed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    store(fact("a", weight=0.5))
    session = type(open_session(connection))
    load_facts, find_facts = session.load_facts, session.find_facts
    attempts: list[Session] = []

    def stand_there(self: Session, *arguments: Any) -> LoadedFacts:
        attempts.append(self)
        return LoadedFacts({}, ()) if len(attempts) == 1 else load_facts(self, *arguments)

    def are_gone(self: Session, keys: Collection[RowKey]) -> dict[RowKey, int]:
        return {} if len(attempts) == 1 else find_facts(self, keys)

    monkeypatch.setattr(session, "load_facts", stand_there)
    monkeypatch.setattr(session, "find_facts", are_gone)
    assert Loader(replace=True).load([fact("a", weight=0.25)]) == Loaded(0, 1, 0)
    assert len(attempts) == 2


def test_ids_remembered_of_another_database_are_forgotten() -> None:
    loader = Loader()
    loader.load([fact("a")])
    in_orm(empty_tables)
    assert loader.load([fact("a")]) == Loaded(1, 0, 0)
    assert list(stored_rows()) == [("a", "p", "o")]


def test_inside_of_a_transaction_that_one_decides() -> None:
    with transaction.atomic():
        Loader().load([fact("a")])
        transaction.set_rollback(True)
    assert stored_rows() == {}


@pytest.mark.parametrize(
    ("time_taken", "expected"),
    [(1, 1_000), (2, 500), (0.5, 2_000), (0.01, 2_000), (600, bulk.SMALLEST_SLICE)],
)
def test_slices_are_as_large_as_fits_into_the_time_that_others_may_wait(
    monkeypatch: pytest.MonkeyPatch, time_taken: float, expected: int
) -> None:
    loader = Loader()
    moments = iter([0.0, 0.0, time_taken * backend().bulk.SLICE_SECONDS])
    monkeypatch.setattr(bulk, "monotonic", lambda: next(moments, 0.0))
    loader.load([fact(f"s{number}") for number in range(1_000)])
    assert loader.slice_size == expected


@pytest.mark.parametrize("fewest", [1_000_000, 1], ids=["row by row", "first facts"])
def test_what_the_tables_would_refuse_is_refused(fewest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that reads a file gets there with such a fact. On SQLite, a load is without the tables' checks."""
    load_first(monkeypatch, fewest)
    for bad in (fact("a", weight=1.5), fact(""), fact("x" * (MAX_TERM_LENGTH + 1))):
        with pytest.raises(IntegrityError):
            Loader().load([fact("b"), bad])
    assert counted() == (0, 0)
