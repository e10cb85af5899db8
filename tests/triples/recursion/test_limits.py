"""Evaluations that may not go on to the end: limits on facts and memory, and being stopped."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from math import nextafter
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.properties import examples
from tests.triples.recursion.deriving import derive, materialise
from tests.triples.recursion.oracle import evaluate
from tests.triples.recursion.programming import X, Y, Z, program, transitive
from tests.triples.recursion.strategies import facts, programs
from tests.triples.recursion.tables import fact_table, proofs_in
from triples.recursion.duckdb import workspace
from triples.recursion.duckdb.differences import compare
from triples.recursion.duckdb.engine import DuckDBEngine
from triples.recursion.duckdb.spilling import spill_folder
from triples.recursion.duckdb.workspace import Resources, Workspace
from triples.recursion.engine import Stopped
from triples.recursion.outcome import Options, Round
from triples.recursion.programs import Key, Program

CHAIN = {Key(number, 1, number + 1): 0.9 for number in range(1, 40)}


@settings(max_examples=examples(0.4))
@given(facts(min_size=3), programs(), st.none() | st.integers(1, 3), st.integers(0, 6))
def test_what_is_left_of_too_many_facts_is_all_above_a_weight(
    asserted: dict[Key, float], program: Program, max_depth: int | None, limit: int
) -> None:
    options = Options(max_depth=max_depth, max_inferred=limit)
    result = materialise(fact_table(asserted), program, options)

    whole = evaluate(asserted, program, max_depth=max_depth)
    left = proofs_in(result.derived)
    assert len(left) <= limit
    if result.complete_above is None:
        assert left == whole
    else:
        assert left == evaluate(asserted, program, max_depth=max_depth, min_weight=result.complete_above)
        # One more class of weights would have been too many.
        lighter = {proof.weight for proof in whole.values() if proof.weight < result.complete_above}
        assert sum(proof.weight >= max(lighter) for proof in whole.values()) > limit


def test_of_equal_weights_all_stay_or_none() -> None:
    asserted = {Key(number, 1, number + 1): 1.0 for number in range(1, 10)}

    result = materialise(fact_table(asserted), transitive(1), Options(max_inferred=20))

    assert (result.derived.num_rows, result.complete_above) == (0, nextafter(1.0, 2.0))


def test_a_limit_that_is_not_met_leaves_no_trace() -> None:
    count = 39 * 38 // 2

    result = materialise(fact_table(CHAIN), transitive(1), Options(max_inferred=count))

    assert (result.derived.num_rows, result.complete_above) == (count, None)


def hub(size: int) -> pa.Table:
    """So much goes into one term and comes out of it: the closure is everything with everything."""
    into = {Key(number, 1, 1): number / 1000 for number in range(2, size)}
    out = {Key(1, 1, number): number / 2000 for number in range(1000, 1000 + size)}
    return fact_table(into | out)


@pytest.fixture
def short_of_memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, set[int]], None]:
    """Let the statements that begin so, counted from 1, have no memory at these turns."""

    def fail(beginning: str, turns: set[int]) -> None:
        run = workspace.Workspace.run
        turn = itertools.count(1)

        def run_or_fail(self: workspace.Workspace, statement: str) -> None:
            if statement.startswith(beginning) and next(turn) in turns:
                raise MemoryError
            run(self, statement)

        monkeypatch.setattr(workspace.Workspace, "run", run_or_fail)

    return fail


@pytest.mark.parametrize(
    ("beginning", "turns"),
    [
        # The whole round, then the third of eight shares.
        ("INSERT INTO candidate", {1, 4}),
        # When what was found becomes known.
        ("INSERT INTO fact", {1}),
    ],
)
def test_what_does_not_fit_into_memory_is_derived_in_shares(
    short_of_memory: Callable[[str, set[int]], None], beginning: str, turns: set[int]
) -> None:
    whole = materialise(hub(100), transitive(1))
    short_of_memory(beginning, turns)

    shared = materialise(hub(100), transitive(1))

    assert shared.derived.equals(whole.derived)
    assert shared.complete_above is None


def test_where_shares_do_not_help_the_heavier_half_of_the_derived_facts_stays(
    short_of_memory: Callable[[str, set[int]], None],
) -> None:
    whole = proofs_in(materialise(fact_table(CHAIN), transitive(1)).derived)
    # The second round: whole, in its first eighth, in its first sixty-fourth.
    short_of_memory("INSERT INTO candidate", {2, 3, 4})

    result = materialise(fact_table(CHAIN), transitive(1))

    # The first round joins two links; all of its facts have one weight, so none of them stays.
    assert result.complete_above == nextafter(0.9 * 0.9, 1.0)
    assert proofs_in(result.derived) == {}
    assert max(proof.weight for proof in whole.values()) < result.complete_above


def test_without_memory_for_any_derivation_nothing_is_derived(
    short_of_memory: Callable[[str, set[int]], None],
) -> None:
    short_of_memory("INSERT INTO candidate", set(range(1, 1000)))

    result = materialise(hub(10), transitive(1))

    assert (result.derived.num_rows, result.complete_above) == (0, nextafter(1009 / 2000, 1.0))


def test_without_memory_for_anything_there_is_no_outcome(short_of_memory: Callable[[str, set[int]], None]) -> None:
    short_of_memory("CREATE OR REPLACE TEMP VIEW", set(range(1, 1000)))

    with pytest.raises(MemoryError):
        materialise(hub(10), transitive(1))


def test_what_does_not_fit_into_memory_is_spilled_to_disk(tmp_path: Path) -> None:
    resources = Resources(threads=1, memory_bytes=20 << 20, temp_folder=tmp_path / "spilled")

    result = materialise(hub(800), transitive(1), resources=resources)

    assert result.derived.equals(materialise(hub(800), transitive(1)).derived)
    assert result.complete_above is None


class Disk:
    """How many bytes the files below a folder were seen to take at most, while a thread looked."""

    def __init__(self, folder: Path) -> None:
        self.most = 0
        self._folder = folder
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.002):
            self.most = max(self.most, sum(map(self._bytes, self._folder.rglob("*"))))

    def _bytes(self, file: Path) -> int:
        try:
            return file.stat().st_blocks * 512
        except FileNotFoundError:
            return 0


def test_no_more_is_spilled_than_may_be(tmp_path: Path) -> None:
    plenty = Resources(threads=1, memory_bytes=12 << 20, temp_folder=tmp_path)
    little = Resources(threads=1, memory_bytes=12 << 20, temp_folder=tmp_path, disk_bytes=2 << 20)
    with Disk(tmp_path) as wanted:
        whole = materialise(hub(500), transitive(1), resources=plenty)
    with Disk(tmp_path) as taken:
        result = materialise(hub(500), transitive(1), resources=little)

    assert whole.complete_above is None
    assert result.complete_above is not None
    assert wanted.most > 3 << 20
    # The folders themselves take some.
    assert 0 < taken.most <= (2 << 20) + (64 << 10)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_another_evaluation_is_left_alone(tmp_path: Path) -> None:
    with spill_folder(tmp_path) as mine:
        (mine / "file").touch()
        with spill_folder(tmp_path) as other:
            assert other != mine
        assert (mine / "file").exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("resources", [Resources(threads=1), Resources(threads=1, disk_bytes=0, temp_folder=Path("x"))])
def test_without_a_folder_nothing_is_spilled(
    resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Workspace(replace(resources, memory_bytes=8 << 20), threading.Event()) as opened, pytest.raises(MemoryError):
        opened.run("CREATE TABLE numbers AS SELECT range * 7919 % 1000003 AS number FROM range(4000000)")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shares", [0, 1, 2])
def test_outcomes_are_compared_in_shares_where_memory_is_short(shares: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = materialise(hub(60), transitive(1), Options(min_weight=0.1)).derived
    after = materialise(hub(60), transitive(1)).derived.slice(5)
    row = Workspace.row
    short = iter([True] * shares)

    def row_or_fail(self: Workspace, statement: str) -> tuple[Any, ...]:
        if next(short, False):
            raise MemoryError
        return row(self, statement)

    monkeypatch.setattr(Workspace, "row", row_or_fail)
    with Workspace(Resources(threads=1), threading.Event()) as opened:
        found = compare(opened, before, after)

    assert found.added - found.removed == after.num_rows - before.num_rows
    assert found.added > 0


def test_too_little_memory_leaves_the_heavier_facts() -> None:
    result = materialise(hub(800), transitive(1), resources=Resources(threads=1, memory_bytes=20 << 20))

    assert result.complete_above is not None
    assert result.derived.num_rows > 0
    whole = materialise(hub(800), transitive(1), Options(min_weight=result.complete_above))
    assert whole.derived.equals(result.derived)


def test_facts_that_do_not_even_fit_by_themselves_are_an_error() -> None:
    with pytest.raises(MemoryError):
        materialise(hub(800), transitive(1), resources=Resources(threads=1, memory_bytes=1 << 20))


def test_an_error_in_the_callers_own_code_ends_the_evaluation() -> None:
    class Enough(Exception):
        pass

    def after(made: Round) -> None:
        if made.number == 2:
            raise Enough

    with pytest.raises(Enough):
        materialise(fact_table(CHAIN), transitive(1), on_round=after)


def test_an_engine_interrupted_before_it_begins_does_not_begin() -> None:
    engine = DuckDBEngine()
    engine.interrupt()

    with pytest.raises(Stopped):
        derive(engine, fact_table(CHAIN), transitive(1))


def test_an_interrupted_engine_stops_between_rounds() -> None:
    engine = DuckDBEngine()

    with pytest.raises(Stopped):
        derive(engine, fact_table(CHAIN), transitive(1), on_round=lambda _: engine.interrupt())


def test_another_thread_stops_a_statement_that_would_take_hours() -> None:
    """Every fact joins every other, four times over."""
    asserted = {Key(number, 1, number): 1.0 for number in range(1, 4000)}
    endless = program((1.0, (X, 2, X), [(X, 1, X), (Y, 1, Y), (Z, 1, Z)]))
    engine = DuckDBEngine()
    timer = threading.Timer(0.5, engine.interrupt)
    timer.start()

    with pytest.raises(Stopped):
        derive(engine, fact_table(asserted), endless)

    timer.join()
