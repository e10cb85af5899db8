"""The facts of an evaluation as Parquet in the exchange, and the statements by which they grow.

Each round writes the facts that it found or improved as a new part, and reads it back: so a plan never grows with the
rounds, and what a lost worker had in memory is worked out again from files. What is written is never changed. A fact
that is improved stays in the part that has it; the new row says which height (`was`) it supersedes.
"""

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

import pyarrow as pa

from triples.recursion.outcome import Options
from triples.recursion.packing import Packing
from triples.recursion.programs import Program
from triples.recursion.spark.exchange import Folder
from triples.recursion.spark.session import Session
from triples.recursion.sql import KEY, same_key, weight_literal

ASSERTED = "asserted"
# Each part is one more folder that every statement reads.
_MOST_PARTS = 16
_ASSERTED_SCHEMA = "subject BIGINT, object BIGINT, weight DOUBLE, predicate BIGINT"


class Found(NamedTuple):
    """Counts of a part: facts that are new, and facts that got a greater weight; and the predicates of both."""

    new: int
    improved: int
    predicates: set[int]


class Relation:
    """Facts, each with the round that last changed it (`height`; 0 if asserted) and the proof that this round found.

    `again` marks the facts that were improved after other facts may have been derived from them.
    """

    def __init__(self, session: Session, folder: Folder, program: Program, options: Options, packing: Packing) -> None:
        self.session = session
        self.folder = folder
        # Rules read by predicate. Where any term may be one, each would make a file of its own.
        self.partitions = [] if program.named is None else ["predicate"]
        self.packing = packing
        self.threshold = options.threshold
        self._parts: list[str] = []
        # Those of the parts that supersede facts of others.
        self._improving: list[str] = []
        self._names = (f"part={number}" for number in count())
        session.files(ASSERTED, _ASSERTED_SCHEMA, [self._url(ASSERTED)])
        self._list("unfit", options.unfit)
        self._admitted = ""
        if options.subjects is not None:
            self._list("admitted", options.subjects)
            self._admitted = " AND subject IN (SELECT id FROM admitted)"

    def look(self) -> None:
        """Set the view `fact` to all facts, with the derived ones of at least the threshold."""
        self.session.view("fact", self._facts(self._parts, "part"))

    def look_ahead(self) -> None:
        """Set the views that rules read to those of the next round, and `fact` too."""
        self.look()
        self.session.view("known", self._heavy("fact"))
        if not self._parts:
            self.session.view("changed", self._heavy(ASSERTED))
            return
        *before, last = self._parts
        self.session.view("earlier", self._heavy(f"({self._facts(before, 'part_before')})"))
        # What was found last is superseded by nothing.
        self._files("found", [last])
        self.session.view("changed", self._heavy("found"))

    def look_below(self, level: int) -> None:
        """Set these views for the search of proofs of this height."""
        self.look()
        for view, height in (("known", f"< {level}"), ("changed", f"= {level - 1}"), ("earlier", f"< {level - 1}")):
            self.session.view(view, f"{self._heavy('fact')} AND height {height}")

    def find(self, selects: Sequence[str], number: int) -> str:
        """Write, as a part, the best derivation of each fact that is new or got heavier; return the part's name."""
        derivations = (
            f"SELECT * FROM ({' UNION ALL '.join(selects)}) AS derived"
            f" WHERE weight >= {weight_literal(self.threshold)}{self._admitted}"
        )
        # First the smallest proof of each weight, then the greatest weight: as the smallest of the best.
        best = (
            f"SELECT {KEY}, max(weight) AS weight, max_by(proof, weight) AS proof FROM ("
            f"SELECT {KEY}, weight, min(proof) AS proof FROM ({derivations}) AS found"
            f" GROUP BY {KEY}, weight) AS weighed GROUP BY {KEY}"
        )
        return self.write(
            f"SELECT c.subject, c.object, c.weight, {number} AS height, c.proof, k.height IS NOT NULL AS again,"
            f" k.height AS was, CAST(c.predicate AS BIGINT) AS predicate FROM ({best}) AS c"
            f" LEFT JOIN fact AS k ON {same_key('k', 'c')}"
            " WHERE k.height IS NULL OR (k.height > 0 AND c.weight > k.weight)"
        )

    def write_goals(self, select: str) -> None:
        """Let statements read the facts of `select` as `goal`, whatever becomes of those that it reads."""
        name = self.write(f"SELECT subject, object, weight, height, predicate FROM ({select}) AS goals")
        self.session.files("goal", f"{_ASSERTED_SCHEMA}, height INT", [self._url(name)])

    def settle(self, proofs: str, level: int) -> str:
        """Write, as a part, the best of the proofs of each goal that is not a fact again already."""
        best = f"SELECT {KEY}, weight, min(proof) AS proof FROM ({proofs}) AS proofs GROUP BY {KEY}, weight"
        return self.write(
            f"SELECT c.subject, c.object, c.weight, {level} AS height, c.proof, TRUE AS again,"
            f" CAST(NULL AS INT) AS was, CAST(c.predicate AS BIGINT) AS predicate FROM ({best}) AS c"
            f" WHERE NOT EXISTS (SELECT 1 FROM fact AS k WHERE {same_key('k', 'c')})"
        )

    def write(self, select: str) -> str:
        name = next(self._names)
        self.session.write(select, self._url(name), self.partitions)
        return name

    def count(self, part: str) -> Found:
        self._files("found", [part])
        rows = self.session.rows(
            "SELECT predicate, count(*) FILTER (WHERE NOT again), count(*) FILTER (WHERE again) FROM found"
            f" WHERE weight >= {weight_literal(self.threshold)} GROUP BY predicate"
        )
        return Found(sum(row[1] for row in rows), sum(row[2] for row in rows), {row[0] for row in rows})

    def absorb(self, part: str, *, improves: bool = False) -> None:
        """Make the part one of facts."""
        self._parts.append(part)
        if improves:
            self._improving.append(part)
        if len(self._parts) > _MOST_PARTS:
            # The last one stays by itself: it is what the next round looks at.
            before = self._parts[:-1]
            self._replace(before, self._facts(before, "part_before"), "again")

    def rewrite(self, condition: str) -> None:
        """Keep only the derived facts `f` that satisfy the condition, and mark none of them."""
        self._replace(
            self._parts, f"SELECT * FROM ({self._facts(self._parts, 'part')}) AS f WHERE {condition}", "FALSE"
        )

    def drop(self, part: str) -> None:
        self.folder.remove(part)

    def count_derived(self) -> int:
        """Count the derived facts in the view `fact`."""
        count: int = self.session.rows("SELECT count(*) FROM fact WHERE height > 0")[0][0]
        return count

    def heaviest_beyond(self, limit: int) -> float | None:
        """Return the heaviest weight that must go to leave so many derived facts at most; None if all can stay."""
        weight: float | None = self.session.rows(
            "SELECT max(weight) FROM (SELECT weight, sum(facts) OVER (ORDER BY weight DESC) AS reached FROM"
            " (SELECT weight, count(*) AS facts FROM fact WHERE height > 0 GROUP BY weight) AS weighed) AS summed"
            f" WHERE reached > {limit}"
        )[0][0]
        return weight

    def _facts(self, parts: Sequence[str], view: str) -> str:
        """A select of the asserted facts and of those derived in these parts, which are then read by this name."""
        unproved = f"CAST(NULL AS {self.packing.sql_type}) AS proof"
        asserted = f"SELECT {KEY}, weight, 0 AS height, FALSE AS again, {unproved} FROM {ASSERTED}"
        if not parts:
            return asserted
        self._files(view, parts)
        derived = (
            f"SELECT {KEY}, weight, height, again, proof FROM {view} AS d"
            f" WHERE weight >= {weight_literal(self.threshold)}"
        )
        if improving := [part for part in parts if part in self._improving]:
            self._files(f"{view}_improving", improving)
            derived += (
                f" AND NOT EXISTS (SELECT 1 FROM {view}_improving AS i WHERE i.was = d.height AND {same_key('i', 'd')})"
            )
        return f"{asserted} UNION ALL {derived}"

    def _heavy(self, facts: str) -> str:
        return f"SELECT {KEY}, weight FROM {facts} AS f WHERE weight >= {weight_literal(self.threshold)}"

    def _replace(self, parts: Sequence[str], facts: str, again: str) -> None:
        name = self.write(
            f"SELECT subject, object, weight, height, proof, {again} AS again,"
            f" CAST(NULL AS INT) AS was, predicate FROM ({facts}) AS kept WHERE height > 0"
        )
        self._parts = [name, *(part for part in self._parts if part not in parts)]
        self._improving = [part for part in self._improving if part not in parts]
        for part in parts:
            self.drop(part)

    def _files(self, view: str, parts: Sequence[str]) -> None:
        schema = (
            f"subject BIGINT, object BIGINT, weight DOUBLE, height INT, proof {self.packing.sql_type}, again BOOLEAN,"
            " was INT, predicate BIGINT"
        )
        self.session.files(view, schema, [self._url(part) for part in parts])

    def _list(self, name: str, ids: pa.Int64Array | None) -> None:
        """Let statements read the ids by this name."""
        if ids is None or not len(ids):
            self.session.view(name, "SELECT CAST(NULL AS BIGINT) AS id WHERE FALSE")
            return
        self.folder.write(name, pa.table({"id": ids}).to_reader(), None)
        self.session.files(name, "id BIGINT", [self._url(name)])

    def _url(self, name: str) -> str:
        return f"{self.folder.url}/{name}"
