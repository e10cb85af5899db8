"""An engine on facts that are one table, and its outcome as one table too."""

from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa

from triples.recursion.duckdb.engine import DuckDBEngine
from triples.recursion.duckdb.workspace import Resources
from triples.recursion.engine import EVERYTHING, Engine
from triples.recursion.outcome import Options, Round
from triples.recursion.programs import Program

ONE_THREAD = Resources(threads=1)


class Found(NamedTuple):
    """The findings of an engine."""

    derived: pa.Table
    rounds: list[Round]
    complete_above: float | None


def options_of(
    *, max_depth: int | None, min_weight: float, subjects: set[int] | None, unfit: list[int] | None
) -> Options:
    """Options of an engine, from those of the oracle."""
    return Options(
        max_depth=max_depth,
        min_weight=min_weight,
        subjects=None if subjects is None else pa.array(sorted(subjects), pa.int64()),
        unfit=None if unfit is None else pa.array(unfit, pa.int64()),
    )


def derive(
    engine: Engine,
    facts: pa.Table,
    program: Program,
    options: Options = EVERYTHING,
    on_round: Callable[[Round], None] | None = None,
) -> Found:
    with engine:
        engine.load(facts.to_reader(), program)
        found = engine.materialise(options, on_round)
        derived = found.derived.to_reader().read_all()
        assert derived.num_rows == found.derived.num_rows
        return Found(derived, found.rounds, found.complete_above)


def materialise(
    facts: pa.Table,
    program: Program,
    options: Options = EVERYTHING,
    on_round: Callable[[Round], None] | None = None,
    resources: Resources = ONE_THREAD,
) -> Found:
    """What DuckDB derives."""
    return derive(DuckDBEngine(resources), facts, program, options, on_round)
