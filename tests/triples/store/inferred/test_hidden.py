"""From the moment that a fact is deleted, nothing that was derived from it is shown, until a run has seen to it."""

import re
from collections.abc import Mapping

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.typing import EventDict

from tests.support.database import in_orm, in_orm_thread
from tests.support.properties import examples
from tests.triples.recursion.oracle import evaluate
from tests.triples.store.graphs import committed, fact, store, stored_rows
from tests.triples.store.inferred.derived import TRANSITIVE, asserted, key, program, run, stored
from tests.triples.store.inferred.hiding import (
    RULES,
    TERMS,
    Doing,
    Oracle,
    Texts,
    changes,
    graphs,
    remove,
    reweigh,
    unfounded,
)
from tests.triples.store.inferred.reads import reading
from triples.models import Change as Journal
from triples.models import Gone, HiddenFact, HiddenGeneration, RecursionRun, Term, Triple
from triples.recursion.programs import Program
from triples.recursion.uses import uses
from triples.store.inferred import dependents, engine_source, hiding
from triples.store.operations import AddOne, Change, Remove
from triples.store.sqlite.dialect import SQLITE

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for a moment hides no more for that."""
    monkeypatch.setattr(dependents, "MOST_SECONDS", 60)
    monkeypatch.setattr(dependents, "MOST_PROCESSOR_SECONDS", 60)


@given(
    graphs,
    st.lists(st.tuples(changes, changes), min_size=1, max_size=3),
    st.sets(st.integers(0, len(RULES) - 1), min_size=1),
)
@settings(max_examples=examples(0.4))
@in_orm_thread
def test_what_is_shown_still_follows_and_is_the_same_on_every_connection(
    graph: Mapping[Texts, float], turns: list[tuple[list[Doing], list[Doing]]], chosen: set[int]
) -> None:
    Triple.objects.all().delete()
    for text in TERMS:
        Term.objects.get_or_create(text=text)
    store(*(fact(*texts, weight) for texts, weight in graph.items()))
    rules = program(*(RULES[number] for number in chosen))
    oracle = Oracle(rules)
    oracle.run(small=False)
    with reading() as early, reading() as late:
        for number, (before, meanwhile) in enumerate(turns):
            for change in before:
                oracle.do([change])
                true = evaluate({key: weight and 1.0 for key, weight in asserted().items()}, rules).keys()
                with reading() as fresh:
                    shown = early.inferred()
                    assert shown == fresh.inferred() == oracle.shown
                    assert not shown & unfounded(rules)
                assert shown <= true
            oracle.run(small=number % 2 == 0, meanwhile=meanwhile)
            assert early.inferred() == late.inferred() == oracle.shown
            assert not early.inferred() & unfounded(rules)
            if not meanwhile:
                assert early.inferred() == stored().keys()


@pytest.fixture
def chain() -> Program:
    """a p b p c p d p e, its closure, and an inverse for each."""

    def make() -> Program:
        store(*(fact(*texts) for texts in ("apb", "bpc", "cpd", "dpe")))
        rules = program(TRANSITIVE, {"name": "inverse", "head": ["?y", "q", "?x"], "body": [["?x", "p", "?y"]]})
        run(rules)
        return rules

    return in_orm(make)


@in_orm_thread
def test_consequences_are_hidden_at_once_and_all_the_way_on_every_connection(chain: Program) -> None:
    with reading() as one, reading() as other:
        assert len(one.inferred()) == 6 + 10
        remove("c", "p", "d")
        kept = {key(*texts) for texts in ("apc", "bqa", "cqa", "cqb", "eqd")}
        assert one.inferred() == kept
        assert other.inferred() == kept
        assert one.heaviest(k=1).total == 3 + len(kept)
        assert one.one(key("a", "p", "e")) is None
        assert one.one(key("a", "p", "c")) is not None
        remove("a", "p", "b")
        assert one.inferred() == other.inferred() == {key("c", "q", "b"), key("e", "q", "d")}


@pytest.mark.parametrize("small", [True, False])
@in_orm_thread
def test_a_run_ends_what_was_hidden(chain: Program, small: bool) -> None:
    with reading() as one, reading() as other:
        remove("c", "p", "d")
        assert len(one.inferred()) == 5
        store(fact("c", "p", "d", 0.5))
        # The other connection has not seen the database without the fact.
        assert len(one.inferred()) == len(other.inferred()) == 5
        run(chain, small=small)
        assert one.inferred() == other.inferred() == stored().keys()
        assert len(stored()) == 16
        remove("d", "p", "e")
        assert one.inferred() == other.inferred() == {key(*texts) for texts in (
            "apc", "apd", "bpd", "bqa", "cqa", "cqb", "dqa", "dqb", "dqc"
        )}  # fmt: skip


@in_orm_thread
def test_a_fact_of_weight_0_proves_nothing(chain: Program) -> None:
    with reading() as reader:
        reweigh(0.5, "c", "p", "d")
        assert len(reader.inferred()) == 16
        reweigh(0.0, "c", "p", "d")
        assert len(reader.inferred()) == 5


@in_orm_thread
def test_what_was_asserted_over_an_inferred_fact_and_deleted_leaves_it_as_it_was(chain: Program) -> None:
    with reading() as reader:
        store(fact("a", "p", "c", 0.5))
        assert len(reader.inferred()) == 15
        remove("a", "p", "c")
        assert len(reader.inferred()) == 16
        store(fact("a", "p", "c", 0.5))
        reweigh(0.0, "a", "p", "c")
        # It is known to be false now, and with it what rests on it.
        assert key("c", "q", "a") not in reader.inferred()


@in_orm_thread
def test_changes_that_a_run_has_seen_hide_nothing(chain: Program) -> None:
    remove("c", "p", "d")
    run(chain)
    with reading() as reader:
        assert reader.inferred() == stored().keys()
        assert len(stored()) == 5


@in_orm_thread
def test_a_read_that_fails_leaves_nothing_half_hidden(chain: Program) -> None:
    with reading() as reader:
        remove("c", "p", "d")
        with pytest.raises(ZeroDivisionError), reader.snapshots.taken(reader.fetch):
            raise ZeroDivisionError
        assert len(reader.inferred()) == 5


@pytest.mark.parametrize("limit", [1, 10, 11])
@pytest.mark.parametrize(("module", "budget"), [(dependents, "MOST_FACTS"), (hiding, "MOST_HIDDEN")])
def test_beyond_the_limit_everything_is_hidden_until_the_next_run(
    chain: Program, monkeypatch: pytest.MonkeyPatch, log: list[EventDict], limit: int, module: object, budget: str
) -> None:
    monkeypatch.setattr(module, budget, limit)

    def follow() -> None:
        with reading() as one, reading() as other:
            remove("c", "p", "d")
            shown = 5 if limit == 11 else 0
            for reader in (one, other, one):
                found = reader.heaviest()
                assert (len(reader.inferred()), found.total) == (shown, shown + 3)
            remove("a", "p", "b")
            if module is hiding:
                shown = 0
            assert len(one.inferred()) == len(other.inferred()) == min(shown, 2)
            run(chain)
            assert one.inferred() == other.inferred() == stored().keys()
            seen = one.shown()
            assert seen is not None
            assert seen.filter is not None

    in_orm(follow)
    told = [event["event"] for event in log if "hidden" in event["event"]]
    assert told == ([] if (limit, module) == (11, dependents) else ["inferred_facts_hidden"])


@pytest.mark.parametrize("budget", ["MOST_SECONDS", "MOST_PROCESSOR_SECONDS", "MOST_INSTRUCTIONS"])
@in_orm_thread
def test_what_takes_too_long_to_find_hides_everything_and_is_not_looked_for_again(
    chain: Program, monkeypatch: pytest.MonkeyPatch, budget: str
) -> None:
    if budget == "MOST_INSTRUCTIONS" and connection.vendor != "sqlite":
        pytest.skip("PostgreSQL counts none")
    monkeypatch.setattr(dependents, budget, 0)
    monkeypatch.setattr("triples.store.sqlite.dependents._INSTRUCTIONS_AT_ONCE", 10)

    remove("c", "p", "d")
    with reading() as reader:
        assert reader.inferred() == set()
        shown = reader.shown()
        assert shown is not None
        assert shown.filter is None
        assert shown.state.facts == 16
        # The asserted facts are there.
        assert reader.heaviest().total == 3
    monkeypatch.setattr(dependents.Dependents, "resting_on", None)
    remove("a", "p", "b")
    assert [change.gone for change in Journal.objects.all()] == [Gone.UNFOLLOWED] * 2


@in_orm_thread
def test_a_read_writes_nothing(chain: Program) -> None:
    """As a standby of PostgreSQL wants it, which has no temporary tables either."""
    read_only, tables = {
        "postgresql": (
            "SELECT set_config('default_transaction_read_only', '{:d}', false)",
            "SELECT relname FROM pg_class WHERE relpersistence = 't'",
        ),
        "sqlite": ("PRAGMA query_only = {:d}", "SELECT name FROM sqlite_temp_master"),
    }[connection.vendor]

    remove("c", "p", "d")
    with reading() as reader:
        reader.fetch(read_only.format(True), ())
        try:
            assert len(reader.inferred()) == 5
            assert reader.fetch(tables, ()) == []
        finally:
            reader.fetch(read_only.format(False), ())


@pytest.mark.parametrize("small", [True, False])
@in_orm_thread
def test_facts_that_go_while_a_run_derives_hide_what_it_derived_from_them(chain: Program, small: bool) -> None:
    with reading() as early:
        assert len(early.inferred()) == 16
        store(fact("e", "p", "f"))
        run(chain, small=small, meanwhile=lambda: remove("c", "p", "d"))
        assert len(stored()) == 25
        with reading() as late:
            # Within a, b, c and within d, e, f: the longer way, and an inverse for each.
            assert len(early.inferred()) == len(late.inferred()) == 2 * (1 + 3)
        run(chain, small=small)
        assert early.inferred() == stored().keys()
        assert not HiddenFact.objects.exists()


@in_orm_thread
def test_too_much_that_goes_while_a_run_derives_hides_everything(
    chain: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile() -> None:
        remove("c", "p", "d")
        monkeypatch.setattr(dependents, "MOST_FACTS", 3)

    with reading() as reader:
        run(chain, meanwhile=meanwhile)
        assert len(stored()) == 16
        assert reader.inferred() == set()
        run(chain)
        assert reader.inferred() == stored().keys()


@in_orm_thread
def test_what_is_stored_for_other_facts_than_those_in_place_counts_for_nothing(chain: Program) -> None:
    """As when a run dies between putting its facts in place and the commit that says what is hidden of them."""

    with reading() as reader:
        HiddenGeneration.objects.update(generation=1)
        # Nothing is gone.
        assert len(reader.inferred()) == 16
        remove("c", "p", "d")
        assert reader.inferred() == set()
        if connection.vendor == "sqlite":
            # On PostgreSQL one commit puts both in place.
            Journal.objects.update(gone=Gone.FOLLOWED)
            assert reader.inferred() == set()
        run(chain)
        assert reader.inferred() == stored().keys()


@in_orm_thread
def test_in_one_commit_each_fact_counts_as_it_ends(chain: Program) -> None:
    rows = stored_rows()
    first, second, third = (rows[texts] for texts in (("a", "p", "b"), ("b", "p", "c"), ("d", "p", "e")))
    with reading() as reader:
        committed(
            [
                Change(first.id, first.created_ms, weight=0.0),
                Change(first.id, first.created_ms, weight=0.5),
                Change(second.id, second.created_ms, weight=0.5),
                Change(second.id, second.created_ms, weight=0.0),
                Remove(second.id, second.created_ms),
                AddOne(fact("a", "p", "e", 0.0)),
                Change(third.id, third.created_ms, metadata='{"a":1}'),
            ]
        )
        # What rests on b p c, on a p e; and what is asserted.
        kept = {key(*texts) for texts in ("cpe", "bqa", "dqc", "eqc", "eqd")}
        assert reader.inferred() == kept
        assert {change.gone for change in Journal.objects.all()} == {None, Gone.FOLLOWED}


@in_orm_thread
def test_without_changes_the_statements_have_no_condition_for_them(chain: Program) -> None:
    with reading() as reader:
        shown = reader.shown()
        assert shown is not None
        assert shown.filter is not None
        assert shown.filter[:2] == (False, False)
        remove("d", "p", "e")
        shown = reader.shown()
        assert shown is not None
        assert shown.filter is not None
        assert shown.filter.hidden
        assert RecursionRun.objects.count() == 1


def test_proofs_are_found_by_the_index_that_leaves_the_fewest() -> None:
    def chosen() -> list[str]:
        rules = program(
            {"name": "transitive", "head": ["?x", "p", "?z"], "body": [["?x", "p", "?y"], ["?y", "p", "?z"]]},
            {"name": "typed", "head": ["?x", "q", "c"], "body": [["?y", "p", "?z"], ["?x", "p", "?y"]]},
            {"name": "object", "head": ["?w", "?p", "?o"], "body": [["?w", "?p", "?v"], ["c", "q", "?o"]]},
        )
        statements = [engine_source._resting(use).sql(SQLITE) for use in uses(rules)]
        return [index for sql in statements for index in re.findall(r"INDEXED BY (\w+)", sql)]

    primary = "sqlite_autoindex_triples_inferredtriple_1"
    assert in_orm(chosen) == [primary, "inferred_o", primary, "inferred_proof", "inferred_proof", primary]
