"""Rules in, derived facts out: the evaluation of a program over all facts, from nothing.

Each round applies the rules to the facts that the round before changed, until nothing changes any more (semi-naive
evaluation; Abiteboul, Hull and Vianu, "Foundations of Databases", chapter 13). A fact keeps its greatest weight.
The round that finds a fact's weight also picks its best proof, so that proofs need no pass of their own: the number of
the round is the height of the lowest proof of that weight. It is too low only where rounding gives two different
weights of a premise one product. Then `Heights` finds the heights again, level by level.
"""

import threading
from collections.abc import Callable

import pyarrow as pa

from triples.recursion.evaluation import Evaluation, Materialised, Options, Round
from triples.recursion.outcome import DERIVED
from triples.recursion.programs import Program
from triples.recursion.workspace import Stopped, Workspace

__all__ = ["DERIVED", "Engine", "Materialised", "Options", "Round", "Stopped", "materialise"]

EVERYTHING = Options()


def materialise(
    facts: pa.Table,
    program: Program,
    options: Options = EVERYTHING,
    on_round: Callable[[Round], None] | None = None,
) -> Materialised:
    """Derive all that the program derives from `facts`.

    `facts` has the columns subject, predicate, object (int64) and weight (float64), and each key once.

    Raises MemoryError when not even the asserted facts fit into the memory. An error that `on_round` raises ends
    the evaluation.
    """
    return Engine().materialise(facts, program, options, on_round)


class Engine:
    """An evaluation that another thread can interrupt, even before it begins."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._workspace: Workspace | None = None

    def interrupt(self) -> None:
        """Make `materialise` raise Stopped, now or when it is called."""
        self._stopped.set()
        if workspace := self._workspace:
            workspace.interrupt()

    def materialise(
        self,
        facts: pa.Table,
        program: Program,
        options: Options = EVERYTHING,
        on_round: Callable[[Round], None] | None = None,
    ) -> Materialised:
        if not program.rules:
            return Materialised(DERIVED.empty_table(), [], None)
        with Workspace(options.resources, self._stopped) as workspace:
            self._workspace = workspace
            try:
                return Evaluation(workspace, facts, program, options).run(on_round)
            finally:
                self._workspace = None
