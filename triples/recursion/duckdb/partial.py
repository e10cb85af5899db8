"""Partial runs: they derive facts of some subjects, by some rules, and keep the other derived facts."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa

from triples.patterns import BoundPlace, Variable
from triples.recursion.duckdb.shares import in_shares
from triples.recursion.duckdb.workspace import Workspace
from triples.recursion.programs import BoundRule, Program
from triples.recursion.sql import COLUMNS

_DERIVED = "subject, predicate, object, weight, depth, rule, free1, free_rest"


class Derivation(NamedTuple):
    """Derived facts, and the program that numbers their rules."""

    program: Program
    derived: pa.Table


def combine(
    workspace: Workspace,
    facts: pa.Table,
    fresh: Derivation,
    previous: Derivation,
    *,
    rules: Collection[str] | None,
    subjects: pa.Array | None,
) -> tuple[pa.Table, Program]:
    """Return the fresh facts together with the previous ones that this run was not about.

    Those are of other subjects than `subjects` and by other rules than `rules` (None: all). The better of two
    derivations of a fact stays. Facts that are asserted now, or have lost a premise, are left out.
    """
    program = _union(fresh.program, previous.program)
    workspace.give("asserted", facts)
    workspace.give("fresh", renumbered(fresh.derived, fresh.program, program))
    workspace.give("previous", renumbered(previous.derived, previous.program, program))
    chosen = [rule.number for rule in program.rules if rules is None or rule.name in rules]
    outside = [f"NOT list_contains({chosen}::INTEGER[], rule)"]
    if subjects is not None:
        workspace.give("subjects", pa.table({"subject": subjects}))
        outside.append("subject NOT IN (SELECT subject FROM subjects)")
    workspace.run(_KEEP.format(outside=" OR ".join(outside)))
    _drop_unsupported(workspace, program)
    parts = in_shares(lambda share: workspace.table(_MERGE.format(share=share)))
    return (parts[0] if len(parts) == 1 else _in_order(parts)), program


def _in_order(parts: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(parts).sort_by([(column, "ascending") for column in COLUMNS]).combine_chunks()


_KEEP = f"""
CREATE TABLE kept AS SELECT {_DERIVED} FROM previous AS s
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


def _drop_unsupported(workspace: Workspace, program: Program) -> None:
    """Remove kept facts that lack a premise, until all others have theirs."""
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
    """Yield, for each pattern of the body, the condition that `h` is that premise of a kept fact."""

    def value(place: BoundPlace) -> str:
        if not isinstance(place, Variable):
            return str(place)
        if place in rule.head:
            return f"kept.{COLUMNS[rule.head.index(place)]}"
        number = rule.free.index(place)
        return "kept.free1" if number == 0 else f"(kept.free_rest::BIGINT[])[{number}]"

    for pattern in rule.body:
        yield " AND ".join(f"h.{column} = {value(place)}" for column, place in zip(COLUMNS, pattern, strict=True))


def _union(fresh: Program, previous: Program) -> Program:
    """Return the rules of both programs; of two with one name, the fresh one."""
    named = {rule.name: rule for rule in (*previous.rules, *fresh.rules)}
    ordered = sorted(named.values(), key=lambda rule: rule.name)
    return Program(tuple(replace(rule, number=number) for number, rule in enumerate(ordered)))


def renumbered(derived: pa.Table, before: Program, after: Program) -> pa.Table:
    """Return derived facts with the rule numbers of another program; -1 where it has no such rule."""
    if [rule.name for rule in before.rules] == [rule.name for rule in after.rules]:
        return derived
    numbers = {rule.name: rule.number for rule in after.rules}
    new = pa.array([numbers.get(rule.name, -1) for rule in before.rules], pa.int32())
    place = derived.schema.get_field_index("rule")
    return derived.set_column(place, "rule", new.take(derived.column("rule")))
