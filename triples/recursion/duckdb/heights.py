"""Heights of proofs, corrected where rounding has misled the rounds.

A fact's height is first taken to be the round that found its weight. That is too low when a premise became heavier
later and the rounded product stayed the same: the proof holds with the premise's final weight, but is higher than it
seemed. Such a fact shows by its proof, which has a premise that is not lower than the fact. It gets the lowest proof
that has final weights, level by level. Heights only rise, so this ends. When no such proof is left, all heights are
right.
"""

from triples.recursion.doubtful_heights import suspicions
from triples.recursion.duckdb.relation import Relation
from triples.recursion.duckdb.workspace import Workspace
from triples.recursion.packing import Packing
from triples.recursion.programs import Program
from triples.recursion.sql import KEY, program_variants, same_key

# The height of a fact whose level is not known yet.
UNSETTLED = 1 << 30


class Heights:
    """The facts of a relation whose heights are wrong; the table `goal` has them until their heights are found."""

    def __init__(self, workspace: Workspace, program: Program, packing: Packing) -> None:
        self._workspace = workspace
        self._variants = program_variants(program, packing, of_goals=True)
        self._suspicions = suspicions(program, packing)

    def find_wrong(self) -> int | None:
        """Put the facts with wrong heights into `goal`; return the lowest level that one of them may have, if any."""
        changed = {
            predicate for (predicate,) in self._workspace.rows("SELECT DISTINCT predicate FROM fact WHERE again")
        }
        selects = [suspicion.sql for suspicion in self._suspicions if suspicion.can_arise(changed)]
        if not selects:
            return None
        self._workspace.run(f"CREATE OR REPLACE TEMP TABLE goal AS {' UNION '.join(selects)}")
        level: int | None = self._workspace.row("SELECT min(height) FROM goal")[0]
        if level is not None:
            with self._workspace.transaction():
                # From here on, `again` marks the facts that get a new height.
                self._workspace.run("UPDATE fact SET again = FALSE WHERE again")
                self._workspace.run(
                    f"UPDATE fact SET height = {UNSETTLED} FROM goal AS g WHERE {same_key('fact', 'g')}"
                )
        return level

    def settle(self, relation: Relation, level: int, threshold: float) -> bool:
        """Settle the goals that have a proof of this height; return whether others are left."""
        relation.look_from(level, threshold)
        # A goal that has become too light meanwhile is no fact any more.
        self._workspace.run(
            f"DELETE FROM goal AS g WHERE NOT EXISTS (SELECT 1 FROM fact WHERE {same_key('fact', 'g')})"
        )
        goals, changed, known = map(relation.predicates, ("goal", "changed", "known"))
        selects = [
            variant.sql for variant in self._variants if variant.can_derive(goals) and variant.can_find(changed, known)
        ]
        if selects:
            self._settle(" UNION ALL ".join(selects), level)
        left: bool = self._workspace.row("SELECT count(*) > 0 FROM goal")[0]
        return left

    def _settle(self, proofs: str, level: int) -> None:
        self._workspace.run(
            "CREATE OR REPLACE TEMP TABLE settled AS"
            f" SELECT {KEY}, min(proof) AS proof FROM ({proofs}) AS proofs GROUP BY {KEY}"
        )
        with self._workspace.transaction():
            self._workspace.run(
                f"UPDATE fact SET height = {level}, proof = s.proof, again = TRUE"
                f" FROM settled AS s WHERE {same_key('fact', 's')}"
            )
            self._workspace.run(f"DELETE FROM goal USING settled AS s WHERE {same_key('goal', 's')}")
