"""The engine against the definitions: random facts and programs, evaluated by both."""

import random
import subprocess
import sys
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.properties import examples
from tests.triples.recursion.deriving import materialise, options_of
from tests.triples.recursion.oracle import evaluate
from tests.triples.recursion.programming import X, Y, Z, program, transitive
from tests.triples.recursion.strategies import facts, programs
from tests.triples.recursion.tables import fact_table, proofs_in
from triples.patterns import Variable
from triples.recursion.duckdb.workspace import Resources
from triples.recursion.outcome import DERIVED, Options
from triples.recursion.programs import Key, Program, Proof

LEAST = 5e-324

# A database is made for each example.
few_examples = settings(max_examples=examples(0.4))


@few_examples
@given(facts(min_size=3), programs())
def test_weights_depths_and_proofs_are_those_of_the_definition(asserted: dict[Key, float], program: Program) -> None:
    result = materialise(fact_table(asserted), program)

    assert proofs_in(result.derived) == evaluate(asserted, program)
    assert result.complete_above is None


@few_examples
@given(facts(min_size=3), programs(), st.integers(0, 4))
def test_max_depth_keeps_the_proofs_of_so_many_rounds(
    asserted: dict[Key, float], program: Program, max_depth: int
) -> None:
    result = materialise(fact_table(asserted), program, Options(max_depth=max_depth))

    assert proofs_in(result.derived) == evaluate(asserted, program, max_depth=max_depth)


@few_examples
@given(
    facts(min_size=3),
    programs(),
    st.none() | st.integers(1, 3),
    st.sampled_from([0.0, 1e-300, 0.1, 0.25, 0.5, 0.99, 1.0]),
    st.none() | st.sets(st.integers(1, 5)),
    st.sampled_from([None, [4], [4, 9]]),
)
def test_lighter_facts_other_subjects_and_unfit_predicates_are_left_out(
    asserted: dict[Key, float],
    program: Program,
    max_depth: int | None,
    min_weight: float,
    subjects: set[int] | None,
    unfit: list[int] | None,
) -> None:
    """No fact that is asserted has 4 for a predicate."""
    options = options_of(max_depth=max_depth, min_weight=min_weight, subjects=subjects, unfit=unfit)
    result = materialise(fact_table(asserted), program, options)

    expected = evaluate(
        asserted, program, max_depth=max_depth, min_weight=min_weight, subjects=subjects, unfit=unfit or ()
    )
    assert proofs_in(result.derived) == expected


def test_a_proof_is_as_high_as_its_premises_with_their_final_weights_are() -> None:
    """The premise (1, 8, 2) becomes heavier in the second round; rounded, what it proves stays as heavy as it was."""
    asserted = {Key(1, 7, 2): LEAST, Key(1, 10, 2): 2 * LEAST}
    rules = program(
        (1.0, (X, 8, Y), [(X, 7, Y)]),
        (1.0, (X, 11, Y), [(X, 10, Y)]),
        (1.0, (X, 8, Y), [(X, 11, Y)]),
        (0.6, (X, 9, Y), [(X, 8, Y)]),
        (1.0, (X, 12, Y), [(X, 9, Y)]),
    )

    found = proofs_in(materialise(fact_table(asserted), rules).derived)

    assert found == evaluate(asserted, rules)
    assert found[Key(1, 8, 2)] == Proof(2 * LEAST, 2, 2, ())
    assert found[Key(1, 9, 2)] == Proof(LEAST, 3, 3, ())
    assert found[Key(1, 12, 2)] == Proof(LEAST, 4, 4, ())


WIDE = [
    pytest.param(1, id="in a BIGINT"),
    pytest.param(10_000_000, id="in a HUGEINT"),
    pytest.param(1 << 40, id="in a list"),
]


@pytest.mark.parametrize("offset", WIDE)
def test_proofs_may_have_many_free_values(offset: int) -> None:
    """Of a path of five links only the ends stand in the head."""
    asserted = {
        Key(offset + a, 1, offset + b): 0.5 for a, b in [(1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (2, 4), (4, 6)]
    }
    stations = [Variable(name) for name in "abcdef"]
    path = [(start, 1, end) for start, end in pairwise(stations)]
    rules = program(
        (1.0, (stations[0], 2, stations[-1]), path),
        (0.9, (X, 3, Y), [(X, 2, Y)]),
        (0.9, (X, 3, Z), [(X, 1, Y), (Y, 1, Z)]),
    )

    found = proofs_in(materialise(fact_table(asserted), rules).derived)

    assert found == evaluate(asserted, rules)
    assert found[Key(offset + 1, 2, offset + 6)].free == tuple(offset + number for number in (2, 3, 4, 5))
    assert found[Key(offset + 1, 3, offset + 6)] == Proof(0.9 * 0.5**5, 2, 1, ())


def test_rounds_say_what_they_found() -> None:
    asserted = {Key(1, 1, 2): 1.0, Key(2, 1, 3): 1.0, Key(3, 1, 4): 1.0, Key(1, 2, 4): 0.1}
    rules = program(
        (0.5, (X, 3, Y), [(X, 2, Y)]),
        (1.0, (X, 1, Z), [(X, 1, Y), (Y, 1, Z)]),
        (1.0, (X, 3, Y), [(X, 1, Y)]),
    )
    seen: list[tuple[int, int, int, int]] = []

    result = materialise(fact_table(asserted), rules, on_round=seen.append)

    # The third round derives what the second made of (1, 1, 4), which is better than what the first had.
    assert seen == result.rounds == [(1, 6, 0, 6), (2, 3, 0, 9), (3, 0, 1, 9)]


def test_very_many_rules_derive_what_few_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triples.recursion.duckdb.relation._MOST_GROUPED_AT_ONCE", 8)
    asserted = {Key(number, number % 7 + 1, number + 1): 0.9 for number in range(1, 30)}
    rules = program(
        *((0.5 + number / 50, (X, 10 + number % 9, Y), [(X, number % 7 + 1, Y)]) for number in range(20)),
        (0.9, (X, 10, Z), [(X, 10, Y), (Y, 11, Z)]),
    )

    assert proofs_in(materialise(fact_table(asserted), rules).derived) == evaluate(asserted, rules)


def test_nothing_comes_of_no_rules_and_of_no_facts() -> None:
    one_fact = fact_table({Key(1, 1, 2): 1.0})

    for table, rules in [(one_fact, Program(())), (fact_table({}), transitive(1)), (one_fact, transitive(1))]:
        result = materialise(table, rules)
        assert (result.derived.num_rows, result.derived.schema, result.rounds) == (0, DERIVED, [])


def test_ids_of_terms_are_not_negative() -> None:
    with pytest.raises(ValueError, match="not negative"):
        materialise(fact_table({Key(-1, 1, 2): 1.0}), transitive(1))


def as_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    written: bytes = sink.getvalue().to_pybytes()
    return written


def test_the_outcome_is_the_same_bytes_for_any_order_and_number_of_threads() -> None:
    rng = random.Random(3)
    asserted = {Key(rng.randint(1, 40), 1, rng.randint(1, 40)): rng.choice([0.3, 0.7, 0.9]) for _ in range(100)}
    rules = program(
        (0.99, (X, 1, Z), [(X, 1, Y), (Y, 1, Z)]),
        (0.5, (Y, 2, X), [(X, 1, Y)]),
        (0.7, (X, 3, X), [(X, 1, Y), (Y, 2, Z), (Z, 1, X)]),
    )
    outcomes = set()
    for threads in (1, 2, 1, 2):
        shuffled = list(asserted.items())
        rng.shuffle(shuffled)
        derived = materialise(fact_table(dict(shuffled)), rules, resources=Resources(threads=threads)).derived
        assert derived.num_rows > 1000
        outcomes.add(as_bytes(derived))

    assert len(outcomes) == 1


@pytest.mark.process
def test_the_engine_needs_no_django() -> None:
    code = "import sys, triples.recursion.duckdb.engine, triples.recursion.presets; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
