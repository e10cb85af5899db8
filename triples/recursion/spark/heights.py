"""Heights of proofs, corrected where rounding has misled the rounds: see `triples.recursion.duckdb.heights`.

Here the facts with wrong heights are left out of the parts, and come back level by level as parts of their own.
"""

from collections.abc import Sequence

from triples.recursion.doubtful_heights import Suspicion, suspicions
from triples.recursion.programs import Program
from triples.recursion.spark.relation import Relation
from triples.recursion.sql import Variant, program_variants, same_key


def put_right(relation: Relation, program: Program) -> None:
    """Find the heights of the facts again that are too low, until none is."""
    variants = program_variants(program, relation.packing, of_goals=True)
    doubts = suspicions(program, relation.packing)
    while (goals := _Goals.found_in(relation, doubts)) is not None:
        goals.settle(variants)


class _Goals:
    """Facts with wrong heights; the view `goal` has them until their heights are found."""

    def __init__(self, relation: Relation, lowest: int, number: int, predicates: set[int]) -> None:
        self._relation = relation
        self._level = lowest
        self._number = number
        self._predicates = predicates

    @classmethod
    def found_in(cls, relation: Relation, doubts: Sequence[Suspicion]) -> "_Goals | None":
        session = relation.session
        relation.look()
        changed = {predicate for (predicate,) in session.rows("SELECT DISTINCT predicate FROM fact WHERE again")}
        selects = [doubt.sql for doubt in doubts if doubt.can_arise(changed)]
        if not selects:
            return None
        relation.write_goals(" UNION ".join(selects))
        rows = session.rows("SELECT predicate, min(height), count(*) FROM goal GROUP BY predicate")
        if not rows:
            return None
        relation.rewrite(f"NOT EXISTS (SELECT 1 FROM goal AS g WHERE {same_key('g', 'f')})")
        return cls(relation, min(row[1] for row in rows), sum(row[2] for row in rows), {row[0] for row in rows})

    def settle(self, variants: Sequence[Variant]) -> None:
        """Find their heights and proofs, level by level."""
        selects = [variant.sql for variant in variants if variant.can_derive(self._predicates)]
        while self._number:
            self._number -= self._settle(" UNION ALL ".join(selects))
            self._level += 1

    def _settle(self, proofs: str) -> int:
        """Settle the goals that have a proof of this level; return their number."""
        relation = self._relation
        relation.look_below(self._level)
        part = relation.settle(proofs, self._level)
        settled = relation.count(part).improved
        if settled:
            relation.absorb(part)
        else:
            relation.drop(part)
        return settled
