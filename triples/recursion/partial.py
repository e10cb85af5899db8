"""Runs that derive a part only: of some subjects, by some rules. What lies outside is left as it is."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa

from triples.patterns import BoundPlace, Variable
from triples.recursion.programs import BoundRule, Program
from triples.recursion.shares import in_shares
from triples.recursion.sql import COLUMNS
from triples.recursion.workspace import Workspace

_DERIVED = "subject, predicate, object, weight, depth, rule, free1, free_rest"


class Derivation(NamedTuple):
    """Derived facts, and the program that their rule numbers are of."""

    program: Program
    derived: pa.Table


def combine(
    workspace: Workspace,
    facts: pa.Table,
    fresh: Derivation,
    standing: Derivation,
    *,
    rules: Collection[str] | None,
    subjects: pa.Array | None,
) -> tuple[pa.Table, Program]:
    """The fresh facts beside the standing ones that lie outside of what was derived.

    Outside are other subjects than `subjects` and other rules than `rules` (None: all). Of two derivations of one
    fact the better one stays. Left out is what is asserted now, and what has a premise that holds no longer.
    """
    program = _union(fresh.program, standing.program)
    workspace.give("asserted", facts)
    workspace.give("fresh", renumbered(fresh.derived, fresh.program, program))
    workspace.give("standing", renumbered(standing.derived, standing.program, program))
    chosen = [rule.number for rule in program.rules if rules is None or rule.name in rules]
    outside = [f"NOT list_contains({chosen}::INTEGER[], rule)"]
    if subjects is not None:
        workspace.give("subjects", pa.table({"subject": subjects}))
        outside.append("subject NOT IN (SELECT subject FROM subjects)")
    workspace.run(_KEEP.format(outside=" OR ".join(outside)))
    _drop_the_groundless(workspace, program)
    parts = in_shares(lambda share: workspace.table(_MERGE.format(share=share)))
    return (parts[0] if len(parts) == 1 else _in_order(parts)), program


def _in_order(parts: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(parts).sort_by([(column, "ascending") for column in COLUMNS]).combine_chunks()


_KEEP = f"""
CREATE TABLE kept AS SELECT {_DERIVED} FROM standing AS s
WHERE ({{outside}}) AND NOT EXISTS (
    SELECT 1 FROM asserted AS a WHERE a.subject = s.subject AND a.predicate = s.predicate AND a.object = s.object)
"""
_MERGE = f"""
SELECT {_DERIVED} FROM (SELECT * FROM fresh UNION ALL SELECT * FROM kept) WHERE {{share}}
QUALIFY row_number() OVER (
    PARTITION BY subject, predicate, object
    ORDER BY weight DESC, depth, rule, free1, free_rest::BIGINT[]) = 1
ORDER BY subject, predicate, object
"""
_HOLDS = """
CREATE TEMP VIEW holds AS
SELECT subject, predicate, object FROM asserted WHERE weight > 0
UNION ALL SELECT subject, predicate, object FROM fresh UNION ALL SELECT subject, predicate, object FROM kept
"""


def _drop_the_groundless(workspace: Workspace, program: Program) -> None:
    """Remove kept facts with a premise that does not hold, until all others have theirs."""
    workspace.run(_HOLDS)
    dropped = True
    while dropped:
        dropped = False
        for rule in program.rules:
            for premise in _premises(rule):
                [found] = workspace.row(
                    f"DELETE FROM kept WHERE rule = {rule.number} AND NOT EXISTS"
                    f" (SELECT 1 FROM holds AS h WHERE {premise})"
                )
                dropped = dropped or found > 0


def _premises(rule: BoundRule) -> Iterator[str]:
    """For each pattern of the body, the condition that `h` is that premise of a kept fact."""

    def value(place: BoundPlace) -> str:
        if not isinstance(place, Variable):
            return str(place)
        if place in rule.head:
            return f"kept.{COLUMNS[rule.head.index(place)]}"
        number = rule.free.index(place)
        return "kept.free1" if number == 0 else f"(kept.free_rest::BIGINT[])[{number}]"

    for pattern in rule.body:
        yield " AND ".join(f"h.{column} = {value(place)}" for column, place in zip(COLUMNS, pattern, strict=True))


def _union(fresh: Program, standing: Program) -> Program:
    """The rules of both; of two with one name the fresh one."""
    named = {rule.name: rule for rule in (*standing.rules, *fresh.rules)}
    ordered = sorted(named.values(), key=lambda rule: rule.name)
    return Program(tuple(replace(rule, number=number) for number, rule in enumerate(ordered)))


def renumbered(derived: pa.Table, before: Program, after: Program) -> pa.Table:
    """Derived facts with the numbers that their rules have in another program; -1 where it has no such rule."""
    if [rule.name for rule in before.rules] == [rule.name for rule in after.rules]:
        return derived
    numbers = {rule.name: rule.number for rule in after.rules}
    new = pa.array([numbers.get(rule.name, -1) for rule in before.rules], pa.int32())
    place = derived.schema.get_field_index("rule")
    return derived.set_column(place, "rule", new.take(derived.column("rule")))
