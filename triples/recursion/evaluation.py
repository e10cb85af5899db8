"""One evaluation: its rounds, its limits, its outcome."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf, nextafter
from pathlib import Path
from typing import NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from triples.recursion.heights import Heights
from triples.recursion.outcome import derived_table
from triples.recursion.programs import BoundRule, Program
from triples.recursion.relation import Found, Relation, Share
from triples.recursion.shares import MOST_SHARES, SHARES_OF_A_SHARE
from triples.recursion.sql import Variant, variants
from triples.recursion.workspace import Resources, Workspace

# Facts of weight 0 prove nothing.
LEAST_WEIGHT = nextafter(0.0, 1.0)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Options:
    """Options of an evaluation; None is no limit."""

    max_depth: int | None = None
    min_weight: float = 0.0
    # Term ids. Only these may be subjects of derived facts.
    subjects: pa.Int64Array | None = None
    # Term ids. None of these may be the predicate of a derived fact.
    unfit: pa.Int64Array | None = None
    max_inferred: int | None = None
    # As in `Resources`.
    memory_bytes: int | None = None
    threads: int | None = None
    temp_folder: Path | None = None
    disk_bytes: int | None = None

    @property
    def resources(self) -> Resources:
        return Resources(self.memory_bytes, self.threads, self.temp_folder, self.disk_bytes)


class Round(NamedTuple):
    """Counts of a round: new and improved facts, and all derived facts after it."""

    number: int
    new: int
    improved: int
    total: int


@dataclass(frozen=True, slots=True)
class Materialised:
    """The outcome: the derived facts in the columns of `DERIVED`, sorted by subject, predicate and object.

    `complete_above` is None unless a limit was met; then facts lighter than this were left out.
    """

    derived: pa.Table
    rounds: list[Round]
    complete_above: float | None


class Evaluation:
    def __init__(self, workspace: Workspace, facts: pa.Table, program: Program, options: Options) -> None:
        self._workspace = workspace
        self._program = program
        self._options = options
        self._relation = Relation(workspace, facts, program)
        self._relation.rule_out(options.unfit)
        if options.subjects is not None:
            self._relation.admit(options.subjects)
        self._variants = self._compiled()
        self._threshold = max(options.min_weight, LEAST_WEIGHT)
        self._shares = 1
        self._limited = False
        self._rounds: list[Round] = []

    def run(self, on_round: Callable[[Round], None] | None) -> Materialised:
        self._find_weights(on_round or (lambda _: None))
        if self._options.max_depth is None and any(made.improved for made in self._rounds):
            self._put_heights_right()
        read = partial(derived_table, self._workspace, self._program, self._relation.packing)
        derived = self._within_memory(read)
        return Materialised(derived, self._rounds, self._complete_above(derived))

    def _compiled(self, *, of_goals: bool = False) -> list[Variant]:
        packing = self._relation.packing

        def proof(rule: BoundRule, values: Sequence[str]) -> str:
            return f"{packing.pack(rule.number, values)} AS proof"

        return [variant for rule in self._program.rules for variant in variants(rule, proof, of_goals=of_goals)]

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
        heights = Heights(self._workspace, self._program, self._relation.packing, self._compiled(of_goals=True))
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
