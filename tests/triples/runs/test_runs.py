"""What runs derive, from nothing and from what has changed, as the database shows it afterwards."""

from typing import Any

import psycopg
import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.database import in_orm
from tests.support.properties import examples
from tests.triples.runs.graphs import Graph, Silence
from triples.models import RecursionRun, RunStatus, Term
from triples.runs import execution
from triples.store.backend import backend
from triples.store.inferred.state import State
from triples.store.postgresql.connections import connect

pytestmark = pytest.mark.both

ANCESTOR = {"transitive": "ancestor", "weight": 0.5}
PARENT = {"sub_property": ["parent", "ancestor"], "name": "parent-ancestor"}


@pytest.fixture
def closed(graph: Graph) -> Graph:
    """Of two ancestors in a row, the third fact is derived."""
    graph.rule(ANCESTOR)
    graph.add(("a", "ancestor", "b"), ("b", "ancestor", "c"))
    graph.run()
    return graph


def derived() -> dict[tuple[str, str, str], float]:
    """The inferred facts as texts, with their weights."""
    if in_orm(backend().read_state) is None:
        return {}
    rows = in_orm(backend().inferred.contents).to_pylist()
    texts = in_orm(lambda: dict(Term.objects.values_list("id", "text")))
    return {(texts[row["subject"]], texts[row["predicate"]], texts[row["object"]]): row["weight"] for row in rows}


def proofs() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = in_orm(backend().inferred.contents).to_pylist()
    return rows


class Reading(Silence):
    """Remembers how many facts there were to read, and how many were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: tuple[int, int | None] = (0, 0)

    def stage(self, name: str, done: int, total: int | None) -> None:
        if name == "reading":
            self.read = (done, total)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (ANCESTOR, 2),
        (PARENT, 2 + 3),
        ({"name": "any", "head": ["?x", "?p", "?z"], "body": [["?y", "?p", "?x"], ["?y", "near", "?z"]]}, 2 + 3 + 40),
    ],
    ids=["one", "two", "all"],
)
def test_only_facts_of_predicates_that_rules_name_are_read(graph: Graph, rule: dict[str, Any], expected: int) -> None:
    graph.rule(rule)
    graph.add(("a", "ancestor", "b"), ("b", "ancestor", "c"), *((f"x{n}", "parent", "y") for n in range(3)))
    graph.add(*((f"x{n}", "near", "y") for n in range(40)))
    watcher = Reading()
    assert graph.run(watcher).status == RunStatus.SUCCEEDED
    assert watcher.read == (expected, expected)


def test_a_run_derives_what_the_rules_say(graph: Graph) -> None:
    graph.rule(ANCESTOR)
    graph.add(("a", "ancestor", "b"), ("b", "ancestor", "c", 0.5), ("c", "ancestor", "d"))
    run = graph.run()
    assert derived() == {
        ("a", "ancestor", "c"): 0.25,
        ("b", "ancestor", "d"): 0.25,
        ("a", "ancestor", "d"): 0.125,
    }
    assert (run.status, run.mode, run.facts, run.added, run.removed) == (RunStatus.SUCCEEDED, "full", 3, 3, 0)
    assert run.active is None
    assert [made["new"] for made in run.rounds] == [2, 1]
    assert run.started_at is not None
    assert run.finished_at is not None


def test_without_a_change_there_is_nothing_to_do(closed: Graph) -> None:
    assert closed.run().status == RunStatus.UNCHANGED
    assert closed.run(force=True).status == RunStatus.SUCCEEDED


@pytest.mark.once
def test_without_rules_nothing_is_derived(graph: Graph) -> None:
    graph.add(("a", "ancestor", "b"))
    assert (graph.run().facts, derived()) == (0, {})


def test_what_was_inserted_is_taken_up_without_deriving_all_anew(closed: Graph) -> None:
    closed.add(("c", "ancestor", "d"))
    run = closed.run()
    assert (run.mode, run.added, run.facts) == ("incremental", 2, 3)
    assert derived()["a", "ancestor", "d"] == 0.25


def test_what_would_take_longer_than_to_derive_all_anew_is_given_up(
    closed: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "LEAST_SECONDS", 0.0)
    in_orm(RecursionRun.objects.update, seconds={"inference": 0.0})
    closed.add(("c", "ancestor", "d"))
    run = closed.run()
    assert (run.mode, run.added, run.facts) == ("full", 2, 3)
    assert derived()["a", "ancestor", "d"] == 0.25


def test_what_lost_its_proof_goes_and_what_has_another_stays(graph: Graph) -> None:
    graph.rule(ANCESTOR)
    graph.add(("a", "ancestor", "b"), ("b", "ancestor", "d"), ("a", "ancestor", "c", 0.5), ("c", "ancestor", "d"))
    graph.run()
    assert derived() == {("a", "ancestor", "d"): 0.5}
    graph.remove("a", "ancestor", "b")
    run = graph.run()
    assert (run.mode, run.changed) == ("incremental", 1)
    assert derived() == {("a", "ancestor", "d"): 0.25}
    graph.remove("c", "ancestor", "d")
    assert graph.run().removed == 1
    assert derived() == {}


@pytest.mark.once
def test_an_asserted_fact_is_no_inferred_one(closed: Graph) -> None:
    closed.add(("a", "ancestor", "c", 0.75))
    closed.run()
    assert derived() == {}
    closed.remove("a", "ancestor", "c")
    closed.run()
    assert derived() == {("a", "ancestor", "c"): 0.5}


def test_a_changed_weight_counts_from_the_next_run_on(closed: Graph) -> None:
    closed.reweigh(("a", "ancestor", "b"), 0.25)
    assert closed.run().mode == "incremental"
    assert derived() == {("a", "ancestor", "c"): 0.125}
    closed.reweigh(("a", "ancestor", "b"), 0.0)
    closed.run()
    assert derived() == {}


def test_other_rules_mean_another_run(graph: Graph) -> None:
    graph.rule(ANCESTOR)
    graph.add(("a", "parent", "b"), ("b", "parent", "c"))
    graph.run()
    graph.rule(PARENT)
    run = graph.run()
    assert (run.mode, run.facts) == ("full", 3)


@pytest.mark.once
def test_a_run_of_some_rules_leaves_what_the_others_derived(graph: Graph) -> None:
    graph.rule(ANCESTOR)
    graph.rule(PARENT)
    graph.rule({"symmetric": "near", "name": "near"})
    graph.add(("a", "parent", "b"), ("b", "parent", "c"), ("x", "near", "y"))
    graph.run()
    before = derived()
    graph.add(("u", "near", "v"))
    run = graph.run(rules=("near",))
    assert derived() == before | {("v", "near", "u"): 1.0}
    assert (run.added, run.changed, run.removed) == (1, 0, 0)
    graph.remove("a", "parent", "b")
    graph.run(rules=("near",))
    # What rests on a fact that is gone does not stand, whoever derived it.
    assert derived() == {key: weight for key, weight in before.items() if key[0] != "a"} | {("v", "near", "u"): 1.0}


def test_a_run_for_some_types_leaves_the_facts_of_other_entities(graph: Graph) -> None:
    graph.rule({"symmetric": "knows", "name": "knows"})
    graph.add(("ann", "is_a", "Person"), ("bob", "knows", "ann"), ("rex", "knows", "tom"))
    graph.run(entity_types=("Person",))
    assert derived() == {("ann", "knows", "bob"): 1.0}
    graph.run()
    assert set(derived()) == {("ann", "knows", "bob"), ("tom", "knows", "rex")}
    graph.add(("rob", "knows", "ann"), ("max", "knows", "tom"))
    graph.run(entity_types=("Person",))
    assert set(derived()) == {("ann", "knows", "bob"), ("tom", "knows", "rex"), ("ann", "knows", "rob")}


@pytest.mark.once
def test_depth_and_weight_are_bounded_as_asked(graph: Graph) -> None:
    graph.rule(ANCESTOR)
    graph.add(*((f"n{number}", "ancestor", f"n{number + 1}") for number in range(8)))
    graph.run(max_depth=1)
    assert len(derived()) == 7
    graph.run(min_weight=0.2)
    assert set(derived().values()) == {0.5, 0.25}


@pytest.mark.once
def test_a_limit_keeps_the_heaviest_and_says_from_where_on(graph: Graph, change_settings: Any) -> None:
    graph.rule(ANCESTOR)
    graph.add(*((f"n{number}", "ancestor", f"n{number + 1}") for number in range(8)))
    change_settings(max_inferred=10)
    run = graph.run()
    assert (run.status, run.facts) == (RunStatus.LIMITED, 7)
    assert run.complete_above is not None
    assert 0.25 < run.complete_above <= 0.5
    assert set(derived().values()) == {0.5}


def test_a_run_that_takes_too_long_changes_nothing(closed: Graph, change_settings: Any) -> None:
    before = derived()
    closed.add(("c", "ancestor", "d"))
    change_settings(recursion_timeout=1e-9)
    run = closed.run(force=True)
    assert (run.status, run.active) == (RunStatus.TIMED_OUT, None)
    assert derived() == before


def test_a_run_that_fails_says_why_and_changes_nothing(closed: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    before = derived()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    closed.add(("c", "ancestor", "d"))
    monkeypatch.setattr(backend().inferred, "replace_all", fail)
    with pytest.raises(OSError, match="No space"):
        closed.run(force=True)
    run = in_orm(lambda: RecursionRun.objects.latest("id"))
    assert (run.status, run.error) == (RunStatus.FAILED, "OSError: [Errno 28] No space left on device")
    assert derived() == before


def test_a_run_that_loses_the_database_leaves_what_was_there(closed: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a file cannot be disconnected from")
    before = derived()
    closed.add(("c", "ancestor", "d"))
    replace_all = backend().inferred.replace_all

    def disconnected(rows: Any, state: State, holder: "psycopg.Connection[Any]", progress: Any) -> None:
        with connect() as other:
            other.execute("SELECT pg_terminate_backend(%s)", [holder.info.backend_pid])
        replace_all(rows, state, holder, progress)

    with monkeypatch.context() as patch:
        patch.setattr(backend().inferred, "replace_all", disconnected)
        with pytest.raises(psycopg.OperationalError):
            closed.run(force=True)
    assert derived() == before
    assert closed.run().status == RunStatus.SUCCEEDED
    assert len(derived()) == 3


NAMES = st.sampled_from("abcd")
FACTS = st.tuples(NAMES, st.sampled_from(["parent", "ancestor", "near"]), NAMES)
WEIGHTS = st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 1.0])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), FACTS, WEIGHTS), st.tuples(st.just("remove"), FACTS, WEIGHTS), st.just(("run",))
    ),
    max_size=15,
)


@settings(max_examples=examples(0.3))
@given(steps=STEPS)
def test_many_runs_end_where_one_from_nothing_does(graph: Graph, steps: list[tuple[Any, ...]]) -> None:
    for fact in list(graph.rows):
        graph.remove(*fact)
    if not in_orm(lambda: RecursionRun.objects.exists()):  # noqa: PLW0108  # looked up in that thread
        for document in (ANCESTOR, PARENT, {"symmetric": "near", "name": "near"}):
            graph.rule(document)
    for step, *arguments in steps:
        if step == "add":
            fact, weight = arguments
            graph.add((*fact, weight))
        elif step == "run":
            graph.run()
        elif arguments[0] in graph.rows:
            graph.remove(*arguments[0])
    graph.run()
    many = proofs()
    graph.run(force=True)
    assert many == proofs()
