"""Derivation from nothing: it runs the engine over all asserted facts, and compares the result with the last run."""

import socket
from hashlib import blake2s
from threading import Event
from time import monotonic
from typing import NamedTuple

import pyarrow as pa
import structlog
from django.conf import settings

from triples.recursion.counts import Counts
from triples.recursion.duckdb.differences import compare
from triples.recursion.duckdb.engine import DuckDBEngine
from triples.recursion.duckdb.partial import Derivation, combine, renumbered
from triples.recursion.duckdb.workspace import Resources, Workspace
from triples.recursion.engine import Engine
from triples.recursion.outcome import Materialised, Options, Round, Rows
from triples.recursion.programs import Program
from triples.runs.alarms import alarm
from triples.runs.engine_choice import EngineChoice
from triples.runs.options import RunOptions
from triples.runs.outcomes import Watcher
from triples.runs.stopping import Stop
from triples.store.backend import backend
from triples.store.inferred.state import State

log = structlog.get_logger("skg.recursion")


class Kept(NamedTuple):
    """The means of a partial run to say which facts of the last run it keeps."""

    facts: pa.Table
    rules: set[str] | None
    subjects: pa.Array | None


def open_engine(choice: EngineChoice, *, dry: bool) -> Engine:
    """The engine of a run."""
    if choice.name == "duckdb":
        return DuckDBEngine(_resources())
    # Its packages need not be there.
    from triples.recursion.spark.engine import SparkEngine  # noqa: PLC0415
    from triples.recursion.spark.exchange import Exchange  # noqa: PLC0415

    exchange = Exchange(choice.exchange, _database_name(), dry=dry)
    for name in exchange.left_over():
        log.warning("exchange_folder_removed", folder=name)
    return SparkEngine(choice.remote, exchange, _resources())


def derive(engine: Engine, options: Options, stop: Stop, watcher: Watcher) -> Materialised:
    """Everything that follows from what the engine has. Raises the reason to stop when there is one."""
    began = monotonic()

    def tell(done: Round) -> None:
        nonlocal began
        now = monotonic()
        watcher.round(done.number, done.new, done.improved, done.total, now - began)
        began = now
        stop.check()

    with alarm(stop, engine.interrupt):
        return engine.materialise(options, tell)


def with_last_run(
    state: State, program: Program, derived: Rows, kept: Kept | None, stop: Stop
) -> tuple[Rows, Program, Counts]:
    """Return the facts to write, those that a partial run keeps included, and their difference from the last run.

    Raises the reason to stop as `derive` does.
    """
    previous = Derivation(state.program, backend().inferred.contents())
    with Workspace(_resources(), Event()) as workspace, alarm(stop, workspace.interrupt):
        if kept is not None:
            fresh = Derivation(program, derived.to_reader().read_all())
            derived, program = combine(workspace, kept.facts, fresh, previous, rules=kept.rules, subjects=kept.subjects)
        before = renumbered(previous.derived, previous.program, program)
        return derived, program, compare(workspace, before, derived)


def limit_arrow_threads() -> None:
    """Hold Arrow, which reads and joins columns around the engine, to as many threads as the engine may have."""
    pa.set_cpu_count(settings.ENV.recursion_threads)
    pa.set_io_thread_count(1)


def engine_options(asked: RunOptions, subjects: pa.Array | None, unfit: pa.Array | None) -> Options:
    """The options for the engine, within what this service allows a run."""
    return Options(
        max_depth=asked.max_depth,
        min_weight=asked.min_weight,
        subjects=subjects,
        unfit=unfit,
        max_inferred=settings.ENV.max_inferred,
    )


def _database_name() -> str:
    """A name for this database, among others whose runs may use the same exchange."""
    database = settings.DATABASES["default"]
    parts = (database.get("HOST") or socket.gethostname(), database.get("PORT"), database["NAME"])
    return blake2s(repr(tuple(map(str, parts))).encode(), digest_size=6).hexdigest()


def _resources() -> Resources:
    """The resources that this process may use."""
    env = settings.ENV
    return Resources(
        memory_bytes=env.recursion_memory << 20,
        threads=env.recursion_threads,
        temp_folder=env.state_dir / "spill",
        disk_bytes=env.recursion_disk << 20,
    )
