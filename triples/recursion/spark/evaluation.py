"""One evaluation: its rounds, its limits, its outcome."""

from collections.abc import Callable
from math import inf, nextafter

from triples.recursion.outcome import Options, Round
from triples.recursion.programs import Program
from triples.recursion.spark.heights import put_right
from triples.recursion.spark.relation import Found, Relation
from triples.recursion.sql import program_variants


class Evaluation:
    """The rounds are those of DuckDB's evaluation. What does not fit into memory is the server's own concern."""

    def __init__(self, relation: Relation, program: Program, options: Options, asserted: set[int]) -> None:
        self.rounds: list[Round] = []
        self.limited = False
        self._relation = relation
        self._program = program
        self._options = options
        self._variants = program_variants(program, relation.packing)
        # The predicates of the relations that rules read.
        self._earlier: set[int] = set()
        self._changed = asserted
        self.total = 0

    def run(self, on_round: Callable[[Round], None]) -> None:
        self._find_weights(on_round)
        if self._options.max_depth is None and any(made.improved for made in self.rounds):
            put_right(self._relation, self._program)

    def _find_weights(self, on_round: Callable[[Round], None]) -> None:
        number = 0
        while number != self._options.max_depth:
            number += 1
            found = self._round(number)
            if not found.predicates:
                return
            made = Round(number, found.new, found.improved, self.total)
            self.rounds.append(made)
            on_round(made)

    def _round(self, number: int) -> Found:
        known = self._earlier | self._changed
        selects = [variant.sql for variant in self._variants if variant.can_find(self._changed, known, self._earlier)]
        if not selects:
            return Found(0, 0, set())
        self._relation.look_ahead()
        part = self._relation.find(selects, number)
        found = self._relation.count(part)
        if not found.predicates:
            self._relation.drop(part)
            return found
        self._relation.absorb(part, improves=found.improved > 0)
        self.total += found.new
        if self._over_limit():
            found = self._relation.count(part)
        self._earlier, self._changed = known, found.predicates
        return found

    def _over_limit(self) -> bool:
        """Leave out the lightest facts, if there are too many; return whether there were.

        The outcome equals that of a greater `min_weight`: products never rise, so no heavier fact rests on them.
        """
        limit, relation = self._options.max_inferred, self._relation
        if limit is None or self.total <= limit:
            return False
        relation.look()
        heaviest = relation.heaviest_beyond(limit)
        assert heaviest is not None, "there are more than that"
        self.limited = True
        relation.threshold = nextafter(heaviest, inf)
        relation.look()
        self.total = relation.count_derived()
        return True
