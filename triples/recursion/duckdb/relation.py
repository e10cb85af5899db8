"""The table of facts of an evaluation, and the statements by which it grows."""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from triples.recursion.duckdb.workspace import Workspace
from triples.recursion.outcome import DERIVED
from triples.recursion.packing import Listed, Packing, largest_constant, packing_for, proof_columns
from triples.recursion.programs import Program
from triples.recursion.sql import COLUMNS, KEY, same_key, weight_literal

_INTEGERS = {"BIGINT": 63, "HUGEINT": 127}
_LISTED = Listed("BIGINT[]", "[{}]", first_index=1)
_WIDEST_INTEGER = (1 << 31) - 1
# Each select of a union fills hash tables of its own when it is grouped. Past this many selects it is faster, though it
# takes more memory, to store what they derive first: 7 s instead of 14 s for 760 rules over 310,000 facts.
_MOST_GROUPED_AT_ONCE = 64
_DERIVED = "SELECT weight FROM fact WHERE height > 0 UNION ALL SELECT weight FROM candidate WHERE NOT again"


class Found(NamedTuple):
    """Counts of a round: facts that are new, and facts that got a greater weight."""

    new: int
    improved: int


class Share(NamedTuple):
    """One share of the subjects: their facts are derived together, since those of all subjects need too much memory."""

    number: int
    of: int


class Relation:
    """Facts, each with the round that last changed it (`height`; 0 if asserted) and the proof that this round found.

    `again` marks the facts that were improved after other facts may have been derived from them.
    """

    def __init__(self, workspace: Workspace, facts: pa.Table, program: Program) -> None:
        self._workspace = workspace
        largest = _largest_id(facts, program)
        self.packing: Packing = packing_for(program, largest, _INTEGERS, _LISTED)
        # Half the bytes are half the time in joins.
        id_type = "INTEGER" if largest <= _WIDEST_INTEGER else "BIGINT"
        ids = ", ".join(f"CAST({column} AS {id_type}) AS {column}" for column in COLUMNS)
        workspace.give("given", facts)
        # Facts of one predicate side by side let a scan for it skip most of the others.
        workspace.run(
            f"CREATE TABLE fact AS SELECT {ids}, weight, 0 AS height,"
            f" CAST(NULL AS {self.packing.sql_type}) AS proof, FALSE AS again FROM given ORDER BY predicate"
        )
        workspace.take_back("given")
        self._admitted = ""
        self.empty_candidates()

    def admit(self, subjects: pa.Int64Array) -> None:
        """Derive only facts that have one of these as subject."""
        self._workspace.give("given", pa.table({"id": subjects}))
        self._workspace.run("CREATE TABLE admitted AS SELECT id FROM given")
        self._workspace.take_back("given")
        self._admitted = " AND subject IN (SELECT id FROM admitted)"

    def rule_out(self, unfit: pa.Int64Array | None) -> None:
        """Derive no fact that has one of these as predicate."""
        self._workspace.give("given", pa.table({"id": pa.array([], pa.int64()) if unfit is None else unfit}))
        self._workspace.run("CREATE TABLE unfit AS SELECT id FROM given")
        self._workspace.take_back("given")

    def look_from(self, number: int, threshold: float) -> None:
        """Set the views that rules read to those of round `number`, without facts lighter than the threshold."""
        heavy = f"weight >= {weight_literal(threshold)}"
        for view, height in (("known", f"< {number}"), ("changed", f"= {number - 1}"), ("earlier", f"< {number - 1}")):
            self._workspace.run(
                f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT * FROM fact WHERE height {height} AND {heavy}"
            )

    def predicates(self, view: str) -> set[int]:
        return {predicate for (predicate,) in self._workspace.rows(f"SELECT DISTINCT predicate FROM {view}")}

    def empty_candidates(self) -> None:
        """Empty the table of candidates, in which the findings of a round wait until it is over."""
        self._workspace.run("CREATE OR REPLACE TEMP TABLE candidate AS SELECT * EXCLUDE (height) FROM fact LIMIT 0")

    def find(self, selects: Sequence[str], threshold: float, share: Share) -> None:
        """Add to the candidates the best derivation of each fact that is new or got heavier."""
        shared = f" AND subject % {share.of} = {share.number}" if share.of > 1 else ""
        derivations = (
            f"SELECT * FROM ({' UNION ALL '.join(selects)}) AS derived"
            f" WHERE weight >= {weight_literal(threshold)}{self._admitted}{shared}"
        )
        staged = len(selects) > _MOST_GROUPED_AT_ONCE
        if staged:
            self._workspace.run(f"CREATE OR REPLACE TEMP TABLE derivation AS {derivations}")
        # First the smallest proof of each weight, then the greatest weight: as the smallest of the best.
        self._workspace.run(
            "INSERT INTO candidate"
            " SELECT c.subject, c.predicate, c.object, c.weight, c.proof, k.height IS NOT NULL AS again FROM ("
            f"SELECT {KEY}, max(weight) AS weight, arg_max(proof, weight) AS proof FROM ("
            f"SELECT {KEY}, weight, min(proof) AS proof FROM {'derivation' if staged else f'({derivations})'} AS found"
            f" GROUP BY {KEY}, weight) AS weighed GROUP BY {KEY}"
            f") AS c LEFT JOIN fact AS k ON {same_key('k', 'c')}"
            " WHERE k.height IS NULL OR (k.height > 0 AND c.weight > k.weight)"
        )
        if staged:
            self._workspace.run("DROP TABLE derivation")

    def absorb(self, number: int) -> Found:
        """Turn the candidates into facts of this round."""
        new, improved = self._workspace.row(
            "SELECT count(*) FILTER (WHERE NOT again), count(*) FILTER (WHERE again) FROM candidate"
        )
        with self._workspace.transaction():
            if improved:
                self._workspace.run(f"DELETE FROM fact USING candidate AS c WHERE c.again AND {same_key('fact', 'c')}")
            if new or improved:
                self._workspace.run(f"INSERT INTO fact SELECT {KEY}, weight, {number}, proof, again FROM candidate")
        self.empty_candidates()
        return Found(new, improved)

    def derived(self, program: Program) -> pa.Table:
        """The derived facts with their proofs in one chunk, sorted by subject, predicate and object."""
        table = self._workspace.table(
            f"SELECT {', '.join(COLUMNS)}, weight, height AS depth, {proof_columns(program, self.packing)}"
            f" FROM fact WHERE height > 0 ORDER BY {', '.join(COLUMNS)}"
        )
        return table.cast(DERIVED).combine_chunks()

    def drop_lighter(self, threshold: float) -> None:
        """Drop the derived facts and the candidates below the threshold."""
        heavy = f"weight >= {weight_literal(threshold)}"
        # Rows that are only deleted would keep their memory.
        with self._workspace.transaction():
            self._workspace.run(f"CREATE TABLE kept AS SELECT * FROM fact WHERE height = 0 OR {heavy}")
            self._workspace.run("DROP TABLE fact")
            self._workspace.run("ALTER TABLE kept RENAME TO fact")
        self._workspace.run(f"CREATE OR REPLACE TEMP TABLE candidate AS SELECT * FROM candidate WHERE {heavy}")

    def count_derived(self) -> int:
        """Count the derived facts and those candidates that are new."""
        count: int = self._workspace.row(f"SELECT count(*) FROM ({_DERIVED}) AS derived")[0]
        return count

    def heaviest_beyond(self, count: int) -> float | None:
        """Return the heaviest weight that must go to leave `count` derived facts at most; None if all can stay."""
        return self._heaviest_beyond(count, _DERIVED)

    def heaviest_of_lighter_half(self, threshold: float) -> float | None:
        """Return the heaviest weight in the lighter half of the derived facts or, without any, of the premises."""
        if derived := self.count_derived():
            return self._heaviest_beyond(derived // 2, _DERIVED)
        premises = f"SELECT weight FROM fact WHERE weight >= {weight_literal(threshold)}"
        count: int = self._workspace.row(f"SELECT count(*) FROM ({premises}) AS premise")[0]
        return self._heaviest_beyond(count // 2, premises)

    def _heaviest_beyond(self, count: int, weights: str) -> float | None:
        weight: float | None = self._workspace.row(
            "SELECT max(weight) FROM (SELECT weight, sum(count(*)) OVER (ORDER BY weight DESC) AS reached"
            f" FROM ({weights}) AS fact GROUP BY weight) AS weighed WHERE reached > {count}"
        )[0]
        return weight


def _largest_id(facts: pa.Table, program: Program) -> int:
    largest = largest_constant(program)
    for column in COLUMNS:
        extent = pc.min_max(facts[column])
        if (extent["min"].as_py() or 0) < 0:
            raise ValueError("the ids of terms are not negative")
        largest = max(largest, extent["max"].as_py() or 0)
    return largest
