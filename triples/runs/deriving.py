"""Derivation from nothing: it runs the engine over all asserted facts, and compares the result with the last run."""

from threading import Event
from time import monotonic

import pyarrow as pa
from django.conf import settings

from triples.recursion.counts import Counts
from triples.recursion.differences import compare
from triples.recursion.engine import Engine, Materialised, Options, Round
from triples.recursion.partial import Derivation, combine, renumbered
from triples.recursion.programs import Program
from triples.recursion.workspace import Workspace
from triples.runs.alarms import alarm
from triples.runs.options import RunOptions
from triples.runs.outcomes import Watcher
from triples.runs.stopping import Stop
from triples.store.backend import backend
from triples.store.inferred.state import State


def derive(
    facts: pa.Table,
    program: Program,
    options: Options,
    stop: Stop,
    watcher: Watcher,
) -> Materialised:
    """Everything that follows. Raises the reason to stop when there is one."""
    began = monotonic()

    def tell(done: Round) -> None:
        nonlocal began
        now = monotonic()
        watcher.round(done.number, done.new, done.improved, done.total, now - began)
        began = now
        stop.check()

    engine = Engine()
    with alarm(stop, engine.interrupt):
        return engine.materialise(facts, program, options, tell)


def with_last_run(
    state: State, facts: pa.Table, found: Derivation, asked: RunOptions, options: Options, stop: Stop
) -> tuple[pa.Table, Program, Counts]:
    """Return the facts to write, those that a partial run keeps included, and their difference from the last run.

    Raises the reason to stop as `derive` does.
    """
    previous = Derivation(state.program, backend().inferred.contents())
    program, derived = found
    with (
        Workspace(options.resources, Event()) as workspace,
        alarm(stop, workspace.interrupt),
    ):
        if asked.partial:
            rules = set(asked.rules) or None
            derived, program = combine(workspace, facts, found, previous, rules=rules, subjects=options.subjects)
        before = renumbered(previous.derived, previous.program, program)
        return derived, program, compare(workspace, before, derived)


def limit_arrow_threads() -> None:
    """Hold Arrow, which reads and joins columns around the engine, to as many threads as the engine may have."""
    pa.set_cpu_count(settings.ENV.recursion_threads)
    pa.set_io_thread_count(1)


def engine_options(asked: RunOptions, subjects: pa.Array | None, unfit: pa.Array | None) -> Options:
    """The options for the engine, within what this service allows a run."""
    env = settings.ENV
    return Options(
        max_depth=asked.max_depth,
        min_weight=asked.min_weight,
        subjects=subjects,
        unfit=unfit,
        max_inferred=env.max_inferred,
        memory_bytes=env.recursion_memory << 20,
        threads=env.recursion_threads,
        temp_folder=env.state_dir / "spill",
        disk_bytes=env.recursion_disk << 20,
    )
