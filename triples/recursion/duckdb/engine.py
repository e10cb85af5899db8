"""The engine in this process.

Each round applies the rules to the facts that the round before changed, until nothing changes any more (semi-naive
evaluation; Abiteboul, Hull and Vianu, "Foundations of Databases", chapter 13). A fact keeps its greatest weight.
The round that finds a fact's weight also picks its best proof, so that proofs need no pass of their own: the number of
the round is the height of the lowest proof of that weight. It is too low only where rounding gives two different
weights of a premise one product. Then `Heights` finds the heights again, level by level.
"""

import threading
from collections.abc import Callable
from typing import Self

import pyarrow as pa

from triples.recursion.duckdb.evaluation import Evaluation
from triples.recursion.duckdb.workspace import Resources, Workspace
from triples.recursion.engine import EVERYTHING
from triples.recursion.outcome import DERIVED, Materialised, Options, Round
from triples.recursion.programs import Program

UNLIMITED = Resources()


class DuckDBEngine:
    """An `Engine`. It holds all facts in memory and, past that, in files of its own; its outcome is an Arrow table."""

    def __init__(self, resources: Resources = UNLIMITED) -> None:
        self._resources = resources
        self._stopped = threading.Event()
        self._workspace: Workspace | None = None
        self._loaded: tuple[pa.Table, Program] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """The outcome needs nothing that is still open."""

    def interrupt(self) -> None:
        self._stopped.set()
        if workspace := self._workspace:
            workspace.interrupt()

    def load(self, facts: pa.RecordBatchReader, program: Program) -> None:
        self._loaded = facts.read_all(), program

    def materialise(
        self, options: Options = EVERYTHING, on_round: Callable[[Round], None] | None = None
    ) -> Materialised:
        assert self._loaded is not None, "facts come before what follows from them"
        facts, program = self._loaded
        if not program.rules:
            return Materialised(DERIVED.empty_table(), [], None)
        with Workspace(self._resources, self._stopped) as workspace:
            self._workspace = workspace
            try:
                return Evaluation(workspace, facts, program, options).run(on_round)
            finally:
                self._workspace = None
