"""The facts that the last run left: which of them a partial run keeps, and how the new ones differ from them."""

from threading import Event
from typing import NamedTuple

import pyarrow as pa

from triples.recursion.counts import Counts
from triples.recursion.duckdb.differences import compare
from triples.recursion.duckdb.partial import Derivation, combine, renumbered
from triples.recursion.duckdb.workspace import Workspace
from triples.recursion.outcome import Rows
from triples.recursion.programs import Program
from triples.runs.alarms import alarm
from triples.runs.engines import resources
from triples.runs.stopping import Stop
from triples.store.backend import backend
from triples.store.inferred.state import State


class Kept(NamedTuple):
    """The means of a partial run to say which facts of the last run it keeps."""

    facts: pa.Table
    rules: set[str] | None
    subjects: pa.Array | None


def with_last_run(
    state: State, program: Program, derived: Rows, kept: Kept | None, stop: Stop
) -> tuple[Rows, Program, Counts]:
    """Return the facts to write, those that a partial run keeps included, and their difference from the last run.

    Raises the reason to stop when there is one.
    """
    previous = Derivation(state.program, backend().inferred.contents())
    with Workspace(resources(), Event()) as workspace, alarm(stop, workspace.interrupt):
        if kept is not None:
            fresh = Derivation(program, derived.to_reader().read_all())
            derived, program = combine(workspace, kept.facts, fresh, previous, rules=kept.rules, subjects=kept.subjects)
        before = renumbered(previous.derived, previous.program, program)
        return derived, program, compare(workspace, before, derived)
