"""Random groups of operations, each explained by a plain dictionary that takes them one after another."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.database import in_orm
from tests.triples.store.graphs import committed, counted, fact, store, stored_rows, tallied
from tests.triples.store.oracle import is_explained, known, visible
from triples.store.operations import (
    KEEP,
    AddMany,
    AddOne,
    Change,
    DuplicateFacts,
    Fact,
    Keep,
    Operation,
    Remove,
    RemoveMany,
)
from triples.store.term_cache import TermCache

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database", "ticking_clock")]

Key = tuple[str, str, str]
# Nobody's: every fact of a group that must fail has texts of its own.
numbers = itertools.count()


@pytest.fixture
def ticking_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every transaction a millisecond of its own, so that a version that names one is never another's."""
    ticks = itertools.count(1_700_000_000_000_000_000, 1_000_000)
    monkeypatch.setattr("triples.ids.time_ns", lambda: next(ticks))


keys = st.tuples(st.sampled_from("abc"), st.sampled_from("pq"), st.sampled_from("abx"))
weights = st.sampled_from([0.0, 0.25, 1.0])
metadata = st.sampled_from([None, '{"a":1}', '{"b":[1.0]}'])
facts = st.builds(fact, st.sampled_from("abc"), st.sampled_from("pq"), st.sampled_from("abx"), weights, metadata)
versions = st.sampled_from(["any", "current", "stale"])


class Spoiled:
    """An operation that the database refuses, whatever the state."""


add_one = st.builds(AddOne, facts, st.booleans())
add_many = st.builds(AddMany, st.lists(facts, min_size=1, max_size=5), st.booleans())
change = st.tuples(
    st.just(Change), keys, versions, st.one_of(st.just(KEEP), weights), st.one_of(st.just(KEEP), metadata)
)
remove = st.tuples(st.just(Remove), keys, versions)
remove_many = st.tuples(st.just(RemoveMany), st.lists(keys, max_size=4, unique=True), weights, weights)
groups = st.lists(st.one_of(add_one, add_many, change, remove, remove_many, st.builds(Spoiled)), min_size=1, max_size=4)


@given(st.lists(groups, min_size=1, max_size=6))
def test_a_group_has_the_outcomes_of_some_order_of_its_operations(plan: list[list[Any]]) -> None:
    in_orm(_follow, plan)


def _follow(plan: list[list[Any]]) -> None:
    # Examples share a database, but neither a fact nor a text.
    prefix = f"{next(numbers)} "
    cache = TermCache(generation_size=3)
    committed([Remove(row.id, row.created_ms) for row in stored_rows().values()], cache)
    before = known(stored_rows())
    assert before == {}
    for group in plan:
        operations = [_operation(step, prefix, before) for step in group]
        outcomes = committed(operations, cache)
        after = known(stored_rows())
        assert is_explained(before, operations, outcomes, visible(after)), (before, operations, outcomes, after)
        assert tallied() == counted()
        before = after


def _operation(step: Any, prefix: str, state: dict[Key, Any]) -> Operation:
    match step:
        case AddOne(one, replace):
            return AddOne(_prefixed(one, prefix), replace)
        case AddMany(many, skip):
            return AddMany([_prefixed(one, prefix) for one in many], skip)
        case Spoiled():
            return AddOne(fact(f"{prefix}{next(numbers)}", weight=2.0))
        case (kind, named, least, greatest) if kind is RemoveMany:
            rows = [state.get((prefix + subject, *others)) for subject, *others in named]
            return RemoveMany([row.id if row else 10**9 for row in rows], least, greatest)
    kind, (subject, predicate, object_), version, *values = step
    row = state.get((prefix + subject, predicate, object_))
    id_, created_ms = (row.id, row.created_ms) if row else (10**9, 0)
    named = {"any": None, "stale": frozenset({"stale"}), "current": frozenset({row.version if row else "none"})}[
        version
    ]
    if kind is Remove:
        return Remove(id_, created_ms, named)
    weight: float | Keep
    weight, text = values
    return Change(id_, created_ms, weight, text, named)


def _prefixed(one: Fact, prefix: str) -> Fact:
    return one._replace(subject=prefix + one.subject)


def test_of_equal_facts_in_one_batch_the_first_is_stored() -> None:
    batch = AddMany([fact("a", weight=0.1), fact("b"), fact("a", weight=0.9)])
    [outcome] = in_orm(committed, [batch])
    assert outcome == (2, [2])
    assert in_orm(stored_rows)["a", "p", "o"].weight == 0.1


def test_a_strict_batch_with_a_repetition_stores_nothing() -> None:
    [outcome] = in_orm(committed, [AddMany([fact("a"), fact("b"), fact("a")], skip_duplicates=False)])
    assert getattr(outcome, "places", None) == [2]
    assert in_orm(stored_rows) == {}
    assert in_orm(tallied) == (0, 0)


def test_one_operation_object_may_be_given_twice() -> None:
    same = AddOne(fact("a"))
    first, second = in_orm(committed, [same, same])
    assert [getattr(outcome, "status", None) for outcome in (first, second)] == ["inserted", "exists"]


def test_a_fact_that_is_removed_and_added_again_has_a_new_id() -> None:
    in_orm(store, fact("a"))
    old = in_orm(stored_rows)["a", "p", "o"]
    in_orm(committed, [Remove(old.id, old.created_ms)])
    in_orm(store, fact("a"))
    new = in_orm(stored_rows)["a", "p", "o"]
    assert new.id > old.id
    [outcome] = in_orm(committed, [Remove(old.id, old.created_ms)])
    assert type(outcome).__name__ == "NoSuchFact"


def test_an_id_whose_time_is_not_the_rows_names_nothing() -> None:
    in_orm(store, fact("a"))
    row = in_orm(stored_rows)["a", "p", "o"]
    outcomes = in_orm(committed, [Remove(row.id, row.created_ms + 1), Change(row.id, row.created_ms - 1, weight=0.0)])
    assert [type(outcome).__name__ for outcome in outcomes] == ["NoSuchFact", "NoSuchFact"]
    assert in_orm(stored_rows)["a", "p", "o"] == row


def test_remembered_terms_that_are_gone_are_made_again() -> None:
    cache = in_orm(_cache_of_terms_that_are_gone)
    for batch in (AddMany([fact("a")], skip_duplicates=False), AddOne(fact("a"))):
        [outcome] = in_orm(committed, [batch], cache)
        assert not isinstance(outcome, Exception)


def test_duplicates_are_found_although_remembered_terms_have_got_other_ids() -> None:
    cache = in_orm(_cache_of_terms_that_are_gone)
    in_orm(store, fact("a"))
    [refusal] = in_orm(committed, [AddMany([fact("b"), fact("a"), fact("b")], skip_duplicates=False)], cache)
    assert isinstance(refusal, DuplicateFacts)
    assert refusal.places == [1, 2]
    assert in_orm(stored_rows).keys() == {("a", "p", "o")}


def _cache_of_terms_that_are_gone() -> TermCache:
    from triples.models import Term

    cache = TermCache()
    committed([AddOne(fact("a"))], cache)
    row = stored_rows()["a", "p", "o"]
    committed([Remove(row.id, row.created_ms)], cache)
    Term.objects.all().delete()
    return cache
