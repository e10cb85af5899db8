"""After any changes, the difference leads to exactly what a run from nothing derives."""

from collections.abc import Collection, Mapping
from math import nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triples.recursion.memory import MemorySource
from tests.triples.recursion.oracle import evaluate
from tests.triples.recursion.strategies import LIVELY, fact_weights, facts, keys, programs
from triples.patterns import BoundPattern, Variable, free_variables
from triples.recursion.incremental import Changes, TooMuch, update
from triples.recursion.overlay import Overlay
from triples.recursion.programs import BoundRule, Key, Program, Proof

U, V, X, Y, Z = (Variable(name) for name in "uvxyz")
P, Q, R = 1, 2, 3
PLENTY = 1_000_000

TRANSITIVE: tuple[BoundPattern, ...] = ((X, P, Z), (X, P, Y), (Y, P, Z))
SYMMETRIC: tuple[BoundPattern, ...] = ((Y, P, X), (X, P, Y))
# A fact's weight, or None to delete it.
Step = Mapping[Key, float | None]

# Weights so close that products of them are the same.
close_weights = st.sampled_from([nextafter(weight, toward) for weight in LIVELY for toward in (0.0, 1.0)])
steps = st.dictionaries(keys, st.one_of(st.none(), fact_weights, close_weights), min_size=1, max_size=4)


class Graph:
    """Facts under change beside what was derived of them; each run is held against one from nothing."""

    def __init__(
        self,
        program: Program,
        asserted: dict[Key, float],
        min_weight: float = 0.0,
        unfit: Collection[int] = (),
    ) -> None:
        self.program = program
        self.min_weight = min_weight
        self.unfit = unfit
        derived = evaluate(asserted, program, min_weight=min_weight, unfit=unfit)
        self.source = MemorySource(program, asserted, derived, unfit)
        self.changed: set[Key] = set()

    def change(self, step: Step, *, drop_asserted: bool = False) -> None:
        for key, weight in step.items():
            if weight is not None:
                self.source.assert_fact(key, weight)
                if drop_asserted:
                    self.source.drop(key)
            elif key in self.source.facts:
                self.source.delete(key)
        self.changed |= step.keys()

    def run(self, budget: int = PLENTY) -> None:
        changes = Changes(self.changed)
        difference = update(self.program, self.source, changes, min_weight=self.min_weight, budget=budget)
        assert not difference.removed & difference.put.keys()
        assert difference.removed <= self.source.derived.keys()
        assert all(self.source.derived.get(key) != proof for key, proof in difference.put.items())
        self.source.apply(difference)
        self.changed = set()
        assert self.source.derived == evaluate(
            self.source.facts, self.program, min_weight=self.min_weight, unfit=self.unfit
        )

    @property
    def derived(self) -> dict[Key, Proof]:
        return self.source.derived


def rules(*written: tuple[tuple[BoundPattern, ...], float]) -> Program:
    """Rules by head and body, and weight."""
    return Program(
        tuple(
            BoundRule(number, f"rule {number}", weight, head, body, (), free_variables(head, body))
            for number, ((head, *rest), weight) in enumerate(written)
            for body in [tuple(rest)]
        )
    )


@given(programs(), facts(), st.lists(st.tuples(steps, st.booleans(), st.booleans()), min_size=1, max_size=6))
def test_any_changes(program: Program, asserted: dict[Key, float], changes: list[tuple[Step, bool, bool]]) -> None:
    graph = Graph(program, asserted)
    for step, run_now, drop_asserted in changes:
        graph.change(step, drop_asserted=drop_asserted)
        if run_now:
            graph.run()
    graph.run()


@given(programs(), facts(), st.lists(steps, min_size=1, max_size=4), st.sampled_from([0.1, 0.3, 0.5, 1.0]))
def test_any_changes_above_a_least_weight(
    program: Program, asserted: dict[Key, float], changes: list[Step], min_weight: float
) -> None:
    graph = Graph(program, asserted, min_weight)
    for step in changes:
        graph.change(step)
        graph.run()


@given(programs(), facts(), st.lists(steps, min_size=1, max_size=4))
def test_any_changes_where_a_term_cannot_be_a_predicate(
    program: Program, asserted: dict[Key, float], changes: list[Step]
) -> None:
    """No fact that is asserted has 4 for a predicate."""
    graph = Graph(program, asserted, unfit=[4])
    for step in changes:
        graph.change(step)
        graph.run()


def test_a_chain_that_is_broken_and_mended() -> None:
    chain = {Key(n, P, n + 1): 0.9 for n in range(1, 8)}
    graph = Graph(rules((TRANSITIVE, 1.0)), chain)
    graph.change({Key(4, P, 5): None})
    graph.run()
    assert Key(1, P, 8) not in graph.derived
    graph.change({Key(4, P, 5): 0.5, Key(5, P, 1): 1.0})
    graph.run()
    assert Key(1, P, 8) in graph.derived


def test_facts_in_a_cycle_do_not_support_each_other() -> None:
    ring = {Key(n, P, n % 4 + 1): 1.0 for n in range(1, 5)}
    graph = Graph(rules((TRANSITIVE, 1.0), (SYMMETRIC, 1.0)), ring | {Key(9, P, 1): 1.0})
    graph.change({Key(9, P, 1): None})
    graph.run()
    assert not any(9 in key for key in graph.derived)
    graph.change(dict.fromkeys(ring))
    graph.run()
    assert graph.derived == {}


def test_a_derived_fact_that_is_asserted_and_then_not() -> None:
    graph = Graph(rules((TRANSITIVE, 0.5)), {Key(n, P, n + 1): 1.0 for n in range(1, 5)})
    before = dict(graph.derived)
    for weight in (0.9, 0.1, 0.0):
        graph.change({Key(1, P, 3): weight})
        graph.run()
        assert Key(1, P, 3) not in graph.derived
    graph.change({Key(1, P, 3): None})
    graph.run()
    assert graph.derived == before


@pytest.mark.parametrize("dropped", [True, False])
def test_a_derived_fact_asserted_and_deleted_between_two_runs(dropped: bool) -> None:
    graph = Graph(rules((TRANSITIVE, 0.5)), {Key(n, P, n + 1): 1.0 for n in range(1, 5)})
    before = dict(graph.derived)
    graph.change({Key(1, P, 3): 0.9}, drop_asserted=dropped)
    graph.change({Key(1, P, 3): None})
    graph.run()
    assert graph.derived == before


def test_of_two_equal_proofs_the_smaller_is_kept() -> None:
    program = rules((((X, R, Z), (X, P, Y), (Y, Q, Z)), 1.0))
    graph = Graph(program, {Key(1, P, 5): 0.5, Key(5, Q, 9): 0.5})
    graph.change({Key(1, P, 4): 0.5, Key(4, Q, 9): 0.5, Key(1, P, 6): 0.5, Key(6, Q, 9): 0.5})
    graph.run()
    assert graph.derived == {Key(1, R, 9): Proof(0.25, 1, 0, (4,))}
    graph.change({Key(4, Q, 9): None})
    graph.run()
    assert graph.derived == {Key(1, R, 9): Proof(0.25, 1, 0, (5,))}


def test_facts_fall_below_the_least_weight_and_rise_again() -> None:
    graph = Graph(rules((TRANSITIVE, 1.0)), {Key(n, P, n + 1): 0.9 for n in range(1, 6)}, min_weight=0.6)
    assert Key(1, P, 5) in graph.derived
    graph.change({Key(2, P, 3): 0.7})
    graph.run()
    assert Key(1, P, 5) not in graph.derived
    graph.change({Key(2, P, 3): 1.0})
    graph.run()
    assert Key(1, P, 5) in graph.derived


def test_what_holds_of_a_predicate_is_a_fact_as_any_other() -> None:
    program = rules((((X, V, Y), (X, U, Y), (U, P, V)), 1.0))
    graph = Graph(program, {Key(11, 7, 12): 0.5, Key(8, P, 9): 1.0})
    graph.change({Key(7, P, 8): 0.9})
    graph.run()
    assert graph.derived.keys() == {Key(11, 8, 12), Key(11, 9, 12)}
    graph.change({Key(8, P, 9): None})
    graph.run()
    assert graph.derived.keys() == {Key(11, 8, 12)}


@pytest.mark.parametrize("known", [True, False], ids=["derived before", "derived on the way"])
def test_a_premise_that_gets_heavier_and_deeper_without_moving_the_product(known: bool) -> None:
    """The weight of what it proves stays, by rounding; the depth may not."""
    light, heavy = nextafter(0.9, 0.0), 0.9
    factor = next(n / 1000 for n in range(500, 1000) if n / 1000 * light == n / 1000 * heavy)
    program = rules(
        (((X, Q, Y), (X, P, Y)), 1.0),  # a low proof of the premise
        (((X, Q, Y), (X, 5, Y)), 1.0),  # and, through another fact, a high one
        (((X, 5, Y), (X, 6, Y)), 1.0),
        (((X, R, Y), (X, Q, Y)), factor),
        (((X, 7, Y), (X, R, Y)), 1.0),  # what rests on it must follow
    )
    start, late = {Key(1, P, 2): light}, {Key(1, 6, 2): heavy}
    graph = Graph(program, start if known else {})
    graph.change(late if known else start | late)
    graph.run()
    before, after = evaluate(start, program)[Key(1, R, 2)], graph.derived[Key(1, R, 2)]
    assert (after.weight, after.depth) == (before.weight, before.depth + 1)


def test_what_rests_on_a_fact_goes_with_it() -> None:
    """True if it was stored or derived on the way."""
    program = rules((((X, Q, Y), (X, P, Y)), 1.0), (((X, R, Y), (X, Q, Y)), 1.0), (((X, 5, Y), (X, R, Y)), 1.0))
    first, second, third = Key(1, Q, 2), Key(1, R, 2), Key(1, 5, 2)
    stored = {first: Proof(0.5, 1, 0, ()), second: Proof(0.5, 2, 1, ())}
    overlay = Overlay(program, MemorySource(program, {Key(1, P, 2): 0.5}, stored), PLENTY)
    overlay.learn([first, third])
    overlay.put(third, Proof(0.5, 3, 2, ()))
    assert list(overlay.matches((True, False, True), [(8, 9), (1, 2)])) == [
        (1, Key(1, P, 2), 0.5, 0),
        (1, first, 0.5, 1),
        (1, second, 0.5, 2),
        (1, third, 0.5, 3),
    ]
    assert overlay.retract({first}) == {first, second, third}
    assert list(overlay.matches((True, False, True), [(1, 2)])) == [(0, Key(1, P, 2), 0.5, 0)]
    assert overlay.difference() == ({first, second}, {})


def test_changes_that_concern_no_rule_ask_nothing() -> None:
    graph = Graph(rules((TRANSITIVE, 1.0)), {Key(n, P, n + 1): 0.9 for n in range(1, 6)})
    graph.change({Key(n, Q, n): 0.5 for n in range(100)})
    graph.run(budget=0)
    assert graph.source.calls == 0


def test_too_much_to_do_is_left_to_a_run_from_nothing() -> None:
    graph = Graph(rules((TRANSITIVE, 1.0)), {Key(n, P, n + 1): 0.9 for n in range(1, 20)})
    graph.change({Key(10, P, 11): None})
    with pytest.raises(TooMuch):
        graph.run(budget=20)


def test_look_ups_are_batched() -> None:
    """How many there are depends on the rounds, not on the facts."""
    counts = []
    for width in (2, 6):
        edges = {Key(100 * n + m, P, 100 * n + m + 1): 0.9 for n in range(1, width) for m in range(6)}
        graph = Graph(rules((TRANSITIVE, 1.0)), edges)
        graph.change(dict.fromkeys(edges, 0.8))
        graph.run()
        counts.append(graph.source.calls)
    assert counts[0] == counts[1]
