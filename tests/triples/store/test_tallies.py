"""The tallies of facts by predicate: what makes them for a graph that has none, and what removes them."""

import pytest
from django.core.management import call_command
from django.db import connection

from tests.support.database import in_orm
from tests.triples.store.graphs import (
    committed,
    counted,
    counted_by_predicate,
    fact,
    store,
    stored_rows,
    tallied,
    tallied_by_predicate,
)
from triples.models import PredicateTally
from triples.store.operations import RemoveMany
from triples.store.unused_terms import remove_unused_terms

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


def test_the_migration_counts_what_is_there() -> None:
    in_orm(_migrate_back_and_forth)
    in_orm(store, fact("d", "p"))
    assert in_orm(tallied) == in_orm(counted) == (5, 4)


def _migrate_back_and_forth() -> None:
    store(fact("a", "p"), fact("a", "q"), fact("b", "p"), fact("c", "p"))
    try:
        call_command("migrate", "triples", "0004", verbosity=0)
        assert "triples_predicatetally" not in connection.introspection.table_names()
    finally:
        call_command("migrate", verbosity=0)
    assert tallied_by_predicate() == counted_by_predicate()
    assert sorted(tallied_by_predicate().values()) == [1, 3]


def test_a_predicate_that_is_removed_has_no_tally() -> None:
    in_orm(store, fact("a", "p"), fact("a", "q"))
    ids = [row.id for row in in_orm(stored_rows).values() if row.predicate == "q"]
    assert in_orm(committed, [RemoveMany(ids)]) == [(1,)]
    assert in_orm(PredicateTally.objects.count) == 2
    assert in_orm(lambda: remove_unused_terms([], lambda *_: None, dry=True)) == 1
    assert in_orm(PredicateTally.objects.count) == 2
    assert in_orm(lambda: remove_unused_terms([], lambda *_: None, dry=False)) == 1
    assert in_orm(PredicateTally.objects.count) == 1
    assert in_orm(tallied) == in_orm(counted) == (1, 1)
