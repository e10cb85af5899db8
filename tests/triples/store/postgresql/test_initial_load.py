"""The first facts of a graph on PostgreSQL: what is stored, what stands afterwards, and when it is not done."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.database import empty_tables, in_orm
from tests.support.properties import examples
from tests.triples.store.graphs import counted, fact, load_first, store, stored_rows, tallied
from triples.store.bulk import Loaded, Loader
from triples.store.operations import Fact
from triples.store.postgresql import initial_load
from triples.store.sessions import IdRange

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

FACTS = [fact(f"s{number % 30:02}", "p", f"o{number}", weight=number / 100) for number in range(100)]
_TEXTS = st.sampled_from(["a", "b", "ü", 'c "d"', "e,f", "\\N", "\\.", "'", "😀"])
_METADATA = st.sampled_from([None, '{"a":1}', '{"b":"\\n\\"x\\",\\\\"}', '{"c": "ü, \\u0000"}'])
_FACTS = st.builds(fact, _TEXTS, _TEXTS, _TEXTS, st.sampled_from([0.0, 5e-324, 1 / 3, 0.1, 1.0]), _METADATA)

Driver = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(autouse=True)
def on_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("tests/triples/store/sqlite/test_write_lock.py has SQLite's")
    load_first(monkeypatch, 1)


@pytest.fixture
def other() -> Iterator[Driver]:
    """A connection of somebody else, in a transaction."""
    with psycopg.connect(django_settings.ENV.database_url) as driver:
        yield driver
        driver.rollback()


@pytest.fixture
def initial(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each initial load that was tried was done."""
    tried: list[bool] = []
    load = initial_load.load

    def noted(*arguments: Any, **options: Any) -> Any:
        tried.append(False)
        found = load(*arguments, **options)
        tried[-1] = found is not None
        return found

    monkeypatch.setattr(initial_load, "load", noted)
    return tried


def _schema() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() UNION ALL"
            " SELECT conname, conrelid::regclass || pg_get_constraintdef(oid) || convalidated FROM pg_constraint"
            " WHERE connamespace = current_schema()::regnamespace ORDER BY 1, 2"
        )
        rows: list[tuple[str, ...]] = cursor.fetchall()
    return rows


def _unindexed_terms() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM triples_term WHERE id NOT IN (SELECT term_id FROM triples_term_search)")
        return int(cursor.fetchone()[0])


@settings(max_examples=examples(0.4))
@given(st.lists(_FACTS, min_size=1, max_size=30), st.booleans(), st.lists(_FACTS, max_size=5))
def test_what_is_stored_is_what_a_dictionary_holds(facts: list[Fact], replace: bool, later: list[Fact]) -> None:
    in_orm(empty_tables)
    expected: dict[tuple[str, str, str], Fact] = {}
    for each in facts:
        if replace or each[:3] not in expected:
            expected[each[:3]] = each
    ranges: list[IdRange] = []
    loader = Loader(replace=replace)
    loader.record = lambda ids, _loaded: ranges.extend(ids)

    loaded = in_orm(loader.load, facts)

    rows = in_orm(stored_rows)
    assert loaded == Loaded(len(expected), 0, len(facts) - len(expected))
    assert {key: (row.weight, row.metadata) for key, row in rows.items()} == {
        key: (each.weight, each.metadata) for key, each in expected.items()
    }
    [ids] = ranges
    assert sorted(row.id for row in rows.values()) == list(range(ids.first, ids.last + 1))
    assert in_orm(_unindexed_terms) == 0
    # What it remembers of the terms is so.
    if later:
        in_orm(loader.load, later)
    assert set(in_orm(stored_rows)) == {each[:3] for each in (*facts, *later)}
    assert in_orm(tallied) == in_orm(counted)


def test_indexes_and_foreign_keys_are_as_before(other: Driver, initial: list[bool]) -> None:
    before = _schema()
    assert Loader().load(FACTS) == Loaded(100, 0, 0)
    assert initial == [True]
    assert _schema() == before
    other.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        other.execute("DELETE FROM triples_term")


def test_with_facts_there_is_none(initial: list[bool]) -> None:
    store(FACTS[0]._replace(weight=0.5))
    assert Loader().load(FACTS) == Loaded(99, 0, 1)
    assert initial == []
    assert stored_rows()[FACTS[0][:3]].weight == 0.5


@pytest.mark.parametrize("table", ["triples_triple", "triples_term", "triples_term_search"])
def test_where_others_hold_a_table_the_facts_go_in_slices(other: Driver, initial: list[bool], table: str) -> None:
    other.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE".encode())
    assert Loader().load(FACTS) == Loaded(100, 0, 0)
    assert initial == [False]
    assert tallied() == counted() == (100, 30)
    assert _unindexed_terms() == 0


def test_when_others_were_first_they_are_not_the_first(initial: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    store(FACTS[0]._replace(weight=0.5))
    monkeypatch.setattr(initial_load, "is_possible", lambda _: True)
    assert Loader().load(FACTS) == Loaded(99, 0, 1)
    assert initial == [False]
    assert tallied() == counted() == (100, 30)


def test_a_load_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _schema()
    monkeypatch.setattr(initial_load, "rebuild", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Loader().load(FACTS)
    assert (stored_rows(), counted(), _schema()) == ({}, (0, 0), before)


def test_tables_of_another_user_are_left_alone(initial: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE somebody")
        try:
            cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO somebody")
            cursor.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO somebody; SET ROLE somebody")
            assert Loader().load(FACTS) == Loaded(100, 0, 0)
        finally:
            cursor.execute("RESET ROLE; DROP OWNED BY somebody; DROP ROLE somebody")
    assert initial == []
