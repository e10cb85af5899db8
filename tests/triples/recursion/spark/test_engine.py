"""The engine on a server against the definitions, and against DuckDB: the same tables, proofs included."""

import random
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.properties import examples
from tests.triples.recursion.deriving import derive, materialise, options_of
from tests.triples.recursion.oracle import evaluate
from tests.triples.recursion.programming import X, Y, Z, program, transitive
from tests.triples.recursion.strategies import facts, programs
from tests.triples.recursion.tables import fact_table, proofs_in
from triples.patterns import Variable
from triples.recursion.outcome import DERIVED, Options
from triples.recursion.programs import Key, Program
from triples.recursion.spark.engine import SparkEngine

MakeEngine = Callable[[], SparkEngine]

LEAST = 5e-324

# Each statement is a round trip, and some are jobs of a cluster.
few_examples = settings(max_examples=min(examples(0.24), 40))


@few_examples
@given(
    facts(min_size=3),
    programs(),
    st.none() | st.none() | st.integers(0, 3),
    st.sampled_from([0.0, 0.0, 1e-300, 0.1, 0.5, 1.0]),
    st.none() | st.sets(st.integers(1, 5)),
    st.sampled_from([None, [4], [4, 9]]),
)
def test_weights_depths_and_proofs_are_those_of_the_definition(
    make_engine: MakeEngine,
    asserted: dict[Key, float],
    program: Program,
    max_depth: int | None,
    min_weight: float,
    subjects: set[int] | None,
    unfit: list[int] | None,
) -> None:
    options = options_of(max_depth=max_depth, min_weight=min_weight, subjects=subjects, unfit=unfit)

    found = derive(make_engine(), fact_table(asserted), program, options)

    assert proofs_in(found.derived) == evaluate(
        asserted, program, max_depth=max_depth, min_weight=min_weight, subjects=subjects, unfit=unfit or ()
    )
    embedded = materialise(fact_table(asserted), program, options)
    assert found.derived.equals(embedded.derived)
    assert found.rounds == embedded.rounds


@few_examples
@given(facts(min_size=3), programs(), st.none() | st.integers(1, 3), st.integers(0, 6))
def test_what_is_left_of_too_many_facts_is_what_duckdb_leaves(
    make_engine: MakeEngine, asserted: dict[Key, float], program: Program, max_depth: int | None, limit: int
) -> None:
    options = Options(max_depth=max_depth, max_inferred=limit)

    found = derive(make_engine(), fact_table(asserted), program, options)

    embedded = materialise(fact_table(asserted), program, options)
    assert (proofs_in(found.derived), found.complete_above) == (proofs_in(embedded.derived), embedded.complete_above)


def test_a_proof_is_as_high_as_its_premises_with_their_final_weights_are(make_engine: MakeEngine) -> None:
    """Rounded, what the premise (1, 8, 2) proves stays as heavy as it was when that gets heavier."""
    asserted = {Key(1, 7, 2): LEAST, Key(1, 10, 2): 2 * LEAST}
    rules = program(
        (1.0, (X, 8, Y), [(X, 7, Y)]),
        (1.0, (X, 11, Y), [(X, 10, Y)]),
        (1.0, (X, 8, Y), [(X, 11, Y)]),
        (0.6, (X, 9, Y), [(X, 8, Y)]),
        (1.0, (X, 12, Y), [(X, 9, Y)]),
    )

    found = derive(make_engine(), fact_table(asserted), rules)

    assert proofs_in(found.derived) == evaluate(asserted, rules)


@pytest.mark.parametrize("offset", [pytest.param(1, id="in a BIGINT"), pytest.param(1 << 40, id="in an array")])
def test_proofs_may_have_many_free_values(make_engine: MakeEngine, offset: int) -> None:
    """Of a path of five links only the ends stand in the head."""
    links = [(1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (2, 4), (4, 6)]
    asserted = {Key(offset + a, 1, offset + b): 0.5 for a, b in links}
    stations = [Variable(name) for name in "abcdef"]
    rules = program(
        (1.0, (stations[0], 2, stations[-1]), [(start, 1, end) for start, end in pairwise(stations)]),
        (0.9, (X, 3, Y), [(X, 2, Y)]),
        (0.9, (X, 3, Z), [(X, 1, Y), (Y, 1, Z)]),
    )

    found = derive(make_engine(), fact_table(asserted), rules)

    assert proofs_in(found.derived) == evaluate(asserted, rules)


def test_many_rounds_and_parts_end_in_what_duckdb_has(make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heavier detours improve facts again and again, of parts that have been put together meanwhile."""
    monkeypatch.setattr("triples.recursion.spark.relation._MOST_PARTS", 3)
    rng = random.Random(7)
    asserted = {Key(number, 1, number + 1): 1.0 for number in range(1, 16)}
    asserted |= {Key(rng.randint(1, 15), 1, rng.randint(1, 15)): rng.choice([0.3, 0.7, 0.9]) for _ in range(25)}
    # Linear, so that a chain takes as many rounds as it has links.
    rules = program((0.99, (X, 2, Y), [(X, 1, Y)]), (0.99, (X, 2, Z), [(X, 2, Y), (Y, 1, Z)]))

    found = derive(make_engine(), fact_table(asserted), rules)

    embedded = materialise(fact_table(asserted), rules)
    assert len(found.rounds) > 8
    assert sum(made.improved for made in found.rounds) > 8
    assert found.rounds == embedded.rounds
    assert found.derived.equals(embedded.derived)


def test_nothing_comes_of_no_rules_and_of_no_facts(make_engine: MakeEngine) -> None:
    one_fact = fact_table({Key(1, 1, 2): 1.0})
    none_of_its = fact_table({Key(1, 5, 2): 1.0})

    for table, rules in [
        (one_fact, Program(())),
        (fact_table({}), transitive(1)),
        (none_of_its, transitive(1)),
        (one_fact, transitive(1)),
    ]:
        result = derive(make_engine(), table, rules)
        assert (result.derived.num_rows, result.derived.schema, result.rounds) == (0, DERIVED, [])


@pytest.mark.process
def test_the_engine_needs_no_django() -> None:
    code = f"import sys; sys.path[:0] = {sys.path!r}; sys.modules['__main__'].__file__ = 'test'\n"
    code += "import triples.recursion.spark.engine; print('django' in sys.modules)"

    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_nothing_is_left_in_the_exchange(make_engine: MakeEngine, tmp_path: Path) -> None:
    found = derive(make_engine(), fact_table({Key(1, 1, 2): 1.0, Key(2, 1, 3): 1.0}), transitive(1))

    assert found.derived.num_rows == 1
    assert list(tmp_path.iterdir()) == []
