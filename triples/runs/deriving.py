"""Deriving everything anew: the engine over all asserted facts, and how its outcome stands to that of the last run."""

from threading import Timer
from time import monotonic

import pyarrow as pa
from django.conf import settings

from triples.recursion.counts import Counts
from triples.recursion.differences import compare
from triples.recursion.engine import Engine, Materialised, Options, Round
from triples.recursion.partial import Derivation, combine, renumbered
from triples.recursion.programs import Program
from triples.runs.options import RunOptions
from triples.runs.outcomes import TimedOut, Watcher
from triples.store.inferred.building import contents
from triples.store.inferred.state import State


def derive(
    facts: pa.Table,
    program: Program,
    asked: RunOptions,
    subjects: pa.Array | None,
    deadline: float,
    watcher: Watcher,
) -> Materialised:
    """Everything that follows. Raises TimedOut when that takes past the deadline (of `time.monotonic`)."""
    env = settings.ENV
    engine = Engine()
    options = Options(
        max_depth=asked.max_depth,
        min_weight=asked.min_weight,
        subjects=subjects,
        max_inferred=env.max_inferred,
        memory_bytes=env.recursion_memory << 20,
        threads=env.recursion_threads,
        temp_folder=env.state_dir / "recursion",
    )
    began = monotonic()

    def tell(done: Round) -> None:
        nonlocal began
        now = monotonic()
        watcher.round(done.number, done.new, done.improved, done.total, now - began)
        began = now
        if now > deadline:
            raise TimedOut

    alarm = Timer(max(0.0, deadline - monotonic()), engine.interrupt)
    alarm.daemon = True
    alarm.start()
    try:
        return engine.materialise(facts, program, options, tell)
    except Exception:
        if monotonic() > deadline:
            raise TimedOut from None
        raise
    finally:
        alarm.cancel()


def beside(
    state: State, facts: pa.Table, found: Derivation, asked: RunOptions, subjects: pa.Array | None
) -> tuple[pa.Table, Program, Counts]:
    """What is to be written, with what a partial run leaves as it is, and how that differs from what stands."""
    previous = contents()
    program, derived = found
    if asked.partial:
        derived, program = combine(
            facts,
            found,
            Derivation(state.program, previous),
            rules=set(asked.rules) or None,
            subjects=subjects,
        )
    return derived, program, compare(renumbered(previous, state.program, program), derived)
