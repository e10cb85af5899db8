"""The tool that tells why a fact holds."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from skg_site.api.fields import WHOLE
from skg_site.api.inputs import Input
from skg_site.api.reading import validated
from triples.http.asked_terms import ObjectConstant, PredicateConstant, SubjectConstant
from triples.http.fact_json import shown_weight
from triples.mcp.answers import Answer, Refusal, Work, fitted, room, table, told_weight
from triples.mcp.names import missing_names, told
from triples.query.explanations import MAX_DEPTH, Node
from triples.query.fact_rows import InferredRow
from triples.query.reads import Wanted
from triples.services.graph import graph

BUDGET = 8_000
DEPTH = 5


class ExplainFact(Input):
    subject: SubjectConstant
    predicate: PredicateConstant
    object: ObjectConstant
    depth: Annotated[int, Field(ge=1, le=MAX_DEPTH), WHOLE] = DEPTH


def explain(arguments: dict[str, Any]) -> Work:
    return Work(1, partial(_explain, validated(arguments, ExplainFact)))


async def _explain(asked: ExplainFact) -> Answer:
    pattern = (asked.subject, asked.predicate, asked.object)
    found = await graph.heaviest(Wanted(pattern), k=1, with_metadata=False)
    if not found.rows:
        missing = await missing_names([pattern])
        raise Refusal(
            told(missing)
            or "The names are known, but there is no such fact. See what there is: query with ?x in one of the places."
        )
    row = found.rows[0]
    proof = await graph.explain(row.key, depth=asked.depth) if isinstance(row, InferredRow) else Node(row)
    columns = ["level", "subject", "predicate", "object", "weight", "from"]
    rows = list(_rows(proof))
    fit = fitted(rows, room(columns, BUDGET))
    notes = ["Each fact follows from those of the next level below it."] if len(rows) > 1 else []
    if left_out := len(rows) - len(fit.rows):
        notes.append(f"{left_out:,} facts of the proof are left out: lower depth, or explain one of the premises.")
    if any(row[5] == "cut" for row in fit.rows):
        notes.append("The proof goes on below `cut`: raise depth, or explain that fact.")
    return table(columns, fit, notes)


def _rows(node: Node, level: int = 0) -> Iterator[list[Any]]:
    row = node.row
    yield [level, row.subject, row.predicate, row.object, told_weight(shown_weight(row)), _origin(node)]
    for premise in node.premises:
        yield from _rows(premise, level + 1)


def _origin(node: Node) -> str:
    """The origin of the fact."""
    if node.without == "seen":
        return "proved above or below"
    if node.without == "truncated":
        return "cut"
    return f"rule {node.rule.name}" if node.rule is not None else "asserted"
