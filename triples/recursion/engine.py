"""Rules in, derived facts out: what every engine does, whatever it runs on.

The compiled program is the same for all of them (`triples.recursion.sql`), and so is the outcome, to the last bit: one
total order (weight, height, rule, values of the free variables) chooses the best proof of each fact.
"""

from collections.abc import Callable
from typing import Protocol, Self

import pyarrow as pa

from triples.recursion.outcome import Materialised, Options, Round
from triples.recursion.programs import Program

EVERYTHING = Options()


class Stopped(Exception):
    """Raised when the evaluation was interrupted; it has no outcome."""


class EngineFailed(Exception):
    """Raised when what an engine runs on cannot be reached or has failed; the message is a sentence."""


class Engine(Protocol):
    """The evaluation of a program over all facts, from nothing. It is used once, as a context manager.

    Its outcome can be read until the context ends, at which all that it holds elsewhere is given up.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def interrupt(self) -> None:
        """Make `materialise` raise Stopped, now or when it is called. Called from another thread."""

    def load(self, facts: pa.RecordBatchReader, program: Program) -> None:
        """Take the facts and the program; reads `facts` to the end, batch by batch.

        They have the columns subject, predicate, object (int64) and weight (float64), and each key once.
        """

    def materialise(
        self, options: Options = EVERYTHING, on_round: Callable[[Round], None] | None = None
    ) -> Materialised:
        """Derive all that the program derives from the facts.

        Raises MemoryError when not even the asserted facts fit into the memory, and EngineFailed. An error that
        `on_round` raises ends the evaluation.
        """
