"""The engine in this process.

Each round applies the rules to the facts that the round before changed, until nothing changes any more (semi-naive
evaluation; Abiteboul, Hull and Vianu, "Foundations of Databases", chapter 13). A fact keeps its greatest weight.
The round that finds a fact's weight also picks its best proof, so that proofs need no pass of their own: the number of
the round is the height of the lowest proof of that weight. It is too low only where rounding gives two different
weights of a premise one product. Then `Heights` finds the heights again, level by level.
"""

import threading
from collections.abc import Callable
from functools import partial
from math import inf, nextafter
from typing import Self, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from triples.recursion.duckdb.heights import Heights
from triples.recursion.duckdb.relation import Found, Relation, Share
from triples.recursion.duckdb.shares import MOST_SHARES, SHARES_OF_A_SHARE
from triples.recursion.duckdb.workspace import Resources, Workspace
from triples.recursion.engine import EVERYTHING
from triples.recursion.outcome import DERIVED, Materialised, Options, Round
from triples.recursion.programs import Program
from triples.recursion.sql import program_variants

Answer = TypeVar("Answer")

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
                return _Evaluation(workspace, facts, program, options).run(on_round)
            finally:
                self._workspace = None


class _Evaluation:
    """One evaluation: its rounds, its limits, its outcome."""

    def __init__(self, workspace: Workspace, facts: pa.Table, program: Program, options: Options) -> None:
        self._workspace = workspace
        self._program = program
        self._options = options
        self._relation = Relation(workspace, facts, program)
        self._relation.rule_out(options.unfit)
        if options.subjects is not None:
            self._relation.admit(options.subjects)
        self._variants = program_variants(program, self._relation.packing)
        self._threshold = options.threshold
        self._shares = 1
        self._limited = False
        self._rounds: list[Round] = []

    def run(self, on_round: Callable[[Round], None] | None) -> Materialised:
        self._find_weights(on_round or (lambda _: None))
        if self._options.max_depth is None and any(made.improved for made in self._rounds):
            self._put_heights_right()
        derived = self._within_memory(partial(self._relation.derived, self._program))
        return Materialised(derived, self._rounds, self._complete_above(derived))

    def _find_weights(self, on_round: Callable[[Round], None]) -> None:
        number = 0
        while number != self._options.max_depth:
            number += 1
            found = self._within_memory(partial(self._round, number))
            if not any(found):
                return
            self._within_memory(self._keep_to_limit)
            made = Round(number, found.new, found.improved, self._relation.count_derived())
            self._rounds.append(made)
            on_round(made)

    def _round(self, number: int) -> Found:
        relation = self._relation
        relation.look_from(number, self._threshold)
        changed, known = relation.predicates("changed"), relation.predicates("known")
        selects = [variant.sql for variant in self._variants if variant.can_find(changed, known)]
        if not selects:
            return Found(0, 0)
        relation.empty_candidates()
        for share in range(self._shares):
            relation.find(selects, self._threshold, Share(share, self._shares))
            self._keep_to_limit()
        return relation.absorb(number)

    def _keep_to_limit(self) -> None:
        limit = self._options.max_inferred
        if limit is not None and (heaviest := self._relation.heaviest_beyond(limit)) is not None:
            self._leave_out(heaviest)

    def _put_heights_right(self) -> None:
        heights = Heights(self._workspace, self._program, self._relation.packing)
        while (level := self._within_memory(heights.find_wrong)) is not None:
            while self._within_memory(partial(self._settle, heights, level)):
                level += 1

    def _settle(self, heights: Heights, level: int) -> bool:
        return heights.settle(self._relation, level, self._threshold)

    def _within_memory(self, action: Callable[[], Answer]) -> Answer:
        """Return the result of `action`, tried with smaller shares or fewer facts until it fits into memory."""
        while True:
            try:
                return action()
            except MemoryError:
                self._save_memory()

    def _save_memory(self) -> None:
        self._relation.empty_candidates()
        if self._shares < MOST_SHARES:
            self._shares *= SHARES_OF_A_SHARE
            return
        heaviest = self._relation.heaviest_of_lighter_half(self._threshold)
        if heaviest is None:
            raise MemoryError("not even the asserted facts fit into the memory given")
        self._leave_out(heaviest)

    def _leave_out(self, weight: float) -> None:
        """Go on without the facts of this weight and of lighter ones.

        The outcome equals that of a greater `min_weight`: products never rise, so no heavier fact rests on them.
        """
        self._limited = True
        self._threshold = nextafter(weight, inf)
        self._relation.drop_lighter(self._threshold)

    def _complete_above(self, derived: pa.Table) -> float | None:
        if not self._limited:
            return None
        lightest: float | None = pc.min(derived["weight"]).as_py()
        return self._threshold if lightest is None else lightest
