"""From the moment that a fact is deleted, nothing that was derived from it is shown, until a run has seen to it."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.typing import EventDict

from tests.support.database import in_orm
from tests.support.properties import examples
from tests.triples.recursion.oracle import evaluate
from tests.triples.store.graphs import committed, fact, store, stored_rows
from tests.triples.store.inferred.derived import TRANSITIVE, asserted, key, program, run, stored
from tests.triples.store.inferred.reads import reading
from triples.models import RecursionRun, Term, Triple
from triples.recursion.programs import Key, Program
from triples.recursion.proofs import premises, uses
from triples.store.inferred import hidden
from triples.store.operations import Change, Remove
from triples.store.patterns import SQLITE

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

TERMS = ["a", "b", "c", "p", "q"]
RULES: list[dict[str, Any]] = [
    TRANSITIVE,
    {"name": "symmetric", "weight": 0.5, "head": ["?y", "q", "?x"], "body": [["?x", "q", "?y"]]},
    {"name": "any inverse", "head": ["?y", "?p", "?x"], "body": [["?x", "?p", "?y"], ["?p", "q", "?p"]]},
    {
        "name": "far",
        "head": ["?x", "q", "a"],
        "body": [["?x", "p", "?y"], ["?y", "?r", "?z"], ["?z", "q", "?w"]],
        "distinct": [["?x", "?w"]],
    },
    {"name": "loop", "weight": 0.75, "head": ["?x", "p", "?x"], "body": [["?x", "q", "?x"]]},
    {"name": "ground", "head": ["a", "p", "b"], "body": [["b", "q", "c"], ["?x", "p", "?x"]]},
]
facts = st.tuples(st.sampled_from(TERMS[:4]), st.sampled_from(["p", "q"]), st.sampled_from(TERMS[:4]))
weights = st.sampled_from([0.25, 0.5, 1.0])
graphs = st.dictionaries(facts, weights, min_size=1, max_size=9)
# What is done to a fact: deleted, made void, made lighter, asserted (again), asserted with no weight.
changes = st.lists(st.tuples(st.sampled_from(["delete", "void", "lighten", "assert", "deny"]), facts), max_size=5)


def remove(*texts: str) -> None:
    row = stored_rows()[texts]  # type: ignore[index]  # three of them
    committed([Remove(row.id, row.created_ms)])


def reweigh(weight: float, *texts: str) -> None:
    row = stored_rows()[texts]  # type: ignore[index]  # as above
    committed([Change(row.id, row.created_ms, weight=weight)])


def apply(done: str, texts: tuple[str, str, str]) -> None:
    stands = texts in stored_rows()
    match done:
        case "delete" if stands:
            remove(*texts)
        case "void" if stands:
            reweigh(0.0, *texts)
        case "lighten" if stands:
            reweigh(0.125, *texts)
        case "assert":
            store(fact(*texts))
        case "deny" if not stands:
            store(fact(*texts, 0.0))


def unfounded(rules: Program) -> set[Key]:
    """The inferred facts whose proof, followed down, rests on something that does not stand any more."""
    weights, proofs = asserted(), stored()
    standing = {key for key, weight in weights.items() if weight > 0}
    while True:
        more = {
            found
            for found, proof in proofs.items()
            if found not in standing
            and found not in weights
            and standing.issuperset(premises(rules.rules[proof.rule], found, proof.free))
        }
        if not more:
            return proofs.keys() - standing
        standing |= more


@given(graphs, st.lists(changes, min_size=1, max_size=3), st.sets(st.integers(0, len(RULES) - 1), min_size=1))
@settings(max_examples=examples(0.4))
def test_what_is_shown_still_follows(
    graph: Mapping[tuple[str, str, str], float], turns: list[list[tuple[str, tuple[str, str, str]]]], chosen: set[int]
) -> None:
    def follow() -> None:
        Triple.objects.all().delete()
        for text in TERMS:
            Term.objects.get_or_create(text=text)
        store(*(fact(*texts, weight) for texts, weight in graph.items()))
        rules = program(*(RULES[number] for number in chosen))
        run(rules)
        with reading() as early:
            for number, turn in enumerate(turns):
                for change in turn:
                    apply(*change)
                    true = evaluate({key: weight and 1.0 for key, weight in asserted().items()}, rules).keys()
                    with reading() as fresh:
                        shown = early.inferred()
                        assert shown <= fresh.inferred()
                        assert not fresh.inferred() & unfounded(rules)
                    assert shown <= true
                run(rules, small=number % 2 == 0)
                assert early.inferred() == stored().keys()

    in_orm(follow)


@pytest.fixture
def chain() -> Program:
    """a p b p c p d p e, its closure, and an inverse for each."""

    def make() -> Program:
        store(*(fact(*texts) for texts in ("apb", "bpc", "cpd", "dpe")))
        rules = program(TRANSITIVE, {"name": "inverse", "head": ["?y", "q", "?x"], "body": [["?x", "p", "?y"]]})
        run(rules)
        return rules

    return in_orm(make)


def test_consequences_are_hidden_at_once_and_all_the_way_on_every_connection(chain: Program) -> None:
    def follow() -> None:
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

    in_orm(follow)


@pytest.mark.parametrize("small", [True, False])
def test_a_run_ends_what_was_hidden(chain: Program, small: bool) -> None:
    def follow() -> None:
        with reading() as one, reading() as other:
            remove("c", "p", "d")
            assert len(one.inferred()) == 5
            store(fact("c", "p", "d", 0.5))
            # It is known to some connections only that this fact was gone for a while.
            assert len(one.inferred()) == 5
            assert len(other.inferred()) == 16
            run(chain, small=small)
            assert one.inferred() == other.inferred() == stored().keys()
            assert len(stored()) == 16
            remove("d", "p", "e")
            assert one.inferred() == other.inferred() == {key(*texts) for texts in (
                "apc", "apd", "bpd", "bqa", "cqa", "cqb", "dqa", "dqb", "dqc"
            )}  # fmt: skip

    in_orm(follow)


def test_a_fact_of_weight_0_proves_nothing(chain: Program) -> None:
    def follow() -> None:
        with reading() as reader:
            reweigh(0.5, "c", "p", "d")
            assert len(reader.inferred()) == 16
            reweigh(0.0, "c", "p", "d")
            assert len(reader.inferred()) == 5

    in_orm(follow)


def test_what_was_asserted_over_an_inferred_fact_and_deleted_leaves_it_as_it_was(chain: Program) -> None:
    def follow() -> None:
        with reading() as reader:
            store(fact("a", "p", "c", 0.5))
            assert len(reader.inferred()) == 15
            remove("a", "p", "c")
            assert len(reader.inferred()) == 16
            store(fact("a", "p", "c", 0.5))
            reweigh(0.0, "a", "p", "c")
            # It is known to be false now, and with it what rests on it.
            assert key("c", "q", "a") not in reader.inferred()

    in_orm(follow)


def test_changes_that_a_run_has_seen_hide_nothing(chain: Program) -> None:
    def follow() -> None:
        remove("c", "p", "d")
        run(chain)
        with reading() as reader:
            assert reader.inferred() == stored().keys()
            assert len(stored()) == 5

    in_orm(follow)


def test_a_read_that_fails_leaves_nothing_half_hidden(chain: Program) -> None:
    def follow() -> None:
        with reading() as reader:
            remove("c", "p", "d")
            with pytest.raises(ZeroDivisionError), reader.sight.view(reader.fetch):
                raise ZeroDivisionError
            assert len(reader.inferred()) == 5

    in_orm(follow)


@pytest.mark.parametrize("limit", [1, 10, 11])
def test_beyond_the_limit_everything_is_hidden_until_the_next_run(
    chain: Program, monkeypatch: pytest.MonkeyPatch, log: list[EventDict], limit: int
) -> None:
    hidden._tell_once.cache_clear()
    monkeypatch.setattr(hidden, "LIMIT", limit)

    def follow() -> None:
        with reading() as one, reading() as other:
            remove("c", "p", "d")
            shown = 5 if limit == 11 else 0
            for reader in (one, other, one):
                found = reader.heaviest()
                assert (len(reader.inferred()), found.total) == (shown, shown + 3)
            remove("a", "p", "b")
            assert one.inferred() == set()
            run(chain)
            assert one.inferred() == other.inferred() == stored().keys()

    in_orm(follow)
    assert [event["event"] for event in log if "hidden" in event["event"]] == ["inferred_facts_hidden"]


def test_too_many_facts_that_are_gone_are_not_even_followed(chain: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "_GONE", hidden._GONE.replace(str(hidden.LIMIT + 1), "3"))
    monkeypatch.setattr(hidden, "LIMIT", 2)

    def follow() -> None:
        store(*(fact("x", "r", f"o{number}") for number in range(3)))
        for number in range(3):
            remove("x", "r", f"o{number}")
        with reading() as reader:
            assert reader.inferred() == set()
            view = reader.view()
            assert view is not None
            assert view.screen is None
            assert view.state.facts == 16

    in_orm(follow)


def test_without_changes_the_statements_have_no_condition_for_them(chain: Program) -> None:
    def follow() -> None:
        with reading() as reader:
            view = reader.view()
            assert view is not None
            assert view.screen is not None
            assert view.screen[:2] == (False, False)
            remove("d", "p", "e")
            view = reader.view()
            assert view is not None
            assert view.screen is not None
            assert view.screen.hidden
            assert RecursionRun.objects.count() == 1

    in_orm(follow)


def test_proofs_are_found_by_the_index_that_leaves_the_fewest() -> None:
    def chosen() -> list[str]:
        rules = program(
            {"name": "transitive", "head": ["?x", "p", "?z"], "body": [["?x", "p", "?y"], ["?y", "p", "?z"]]},
            {"name": "typed", "head": ["?x", "q", "c"], "body": [["?y", "p", "?z"], ["?x", "p", "?y"]]},
            {"name": "object", "head": ["?w", "?p", "?o"], "body": [["?w", "?p", "?v"], ["c", "q", "?o"]]},
        )
        return [hidden._proofs_with(use, SQLITE).partition("INDEXED BY ")[2].split()[0] for use in uses(rules)]

    primary = "sqlite_autoindex_triples_inferredtriple_1"
    assert in_orm(chosen) == [primary, "inferred_o", primary, "inferred_proof", "inferred_proof", primary]
