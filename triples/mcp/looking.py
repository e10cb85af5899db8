"""The tools that find names and tell what is in the graph."""

from functools import partial
from typing import Annotated, Any

from pydantic import Field

from skg_site.api.fields import WHOLE
from skg_site.api.inputs import Input
from skg_site.api.reading import validated
from triples.http.asked_terms import PredicateConstant
from triples.http.term_models import SearchedText
from triples.mcp.answers import Answer, Refusal, Work, fitted, quoted, room, table, told_weight
from triples.mcp.names import missing_names, told
from triples.query.reads import COUNT_LIMIT, Wanted
from triples.query.term_places import Place
from triples.query.term_reads import WantedTerms
from triples.services.graph import graph
from triples.store.statistics import MOST_PREDICATES, Statistics

# 4 bytes make about a token.
BUDGET = 3_900
MOST_TERMS = 50
EXAMPLES = 5


class SearchTerms(Input):
    search: SearchedText
    position: Place | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_TERMS), WHOLE] = 10


class DescribeSchema(Input):
    predicate: PredicateConstant | None = None


def search_terms(arguments: dict[str, Any]) -> Work:
    return Work(1, partial(_find_terms, validated(arguments, SearchTerms)))


async def _find_terms(asked: SearchTerms) -> Answer:
    found = await graph.search_terms(WantedTerms(asked.search, None, asked.position, asked.limit))
    columns = ["term", "as_subject", "as_predicate", "as_object"]
    rows: list[list[Any]] = [[hit.text, facts.subject, facts.predicate, facts.object] for hit, facts in found]
    fit = fitted(rows, room(columns, BUDGET))
    notes = []
    if not rows:
        where = f" as {asked.position}; leave position out" if asked.position else "; try a part of it"
        notes.append(f"No term is like {quoted(asked.search)}{where}, or look at describe_schema.")
    elif left_out := len(rows) - len(fit.rows):
        notes.append(f"{left_out:,} less similar terms are left out: search for more of the name.")
    elif len(rows) == asked.limit:
        notes.append("There may be more: search for more of the name, or raise limit.")
    if any(COUNT_LIMIT in row[1:] for row in fit.rows):
        notes.append(f"{COUNT_LIMIT:,} stands for as many facts or more.")
    return table(columns, fit, notes)


def describe_schema(arguments: dict[str, Any]) -> Work:
    asked = validated(arguments, DescribeSchema)
    return Work(1, _describe_graph if asked.predicate is None else partial(_describe_predicate, asked.predicate))


async def _describe_graph() -> Answer:
    counted = await graph.statistics()
    rows, others = await _predicates(counted)
    columns = ["predicate", "asserted", "inferred"]
    fit = fitted(rows, room(columns, BUDGET))
    inferred = counted.recursion.facts if counted.recursion else 0
    notes = [f"{counted.triples:,} asserted facts and {inferred:,} inferred ones."]
    if not rows:
        notes.append("The graph is empty: add_facts fills it.")
    if left_out := len(rows) - len(fit.rows) + others:
        notes.append(
            f'{left_out:,} less frequent predicates are left out: find them with search_terms (position "predicate").'
        )
    if others:
        notes.append("Predicates of inferred facts alone are found in the same way.")
    if rows:
        notes.append("describe_schema with a predicate shows examples.")
    return table(columns, fit, notes, asserted=counted.triples, inferred=inferred)


async def _predicates(counted: Statistics) -> tuple[list[list[Any]], int]:
    """Predicates with their numbers of facts, most frequent first, and how many others there are."""
    listed = await graph.predicates(limit=MOST_PREDICATES + 1, after=0) if counted.predicates <= MOST_PREDICATES else []
    if listed and len(listed) <= MOST_PREDICATES:
        rows: list[list[Any]] = [[one.text, one.asserted, one.inferred] for one in listed]
        return sorted(rows, key=lambda row: (-row[1] - row[2], row[0])), 0
    # To count the inferred facts of very many predicates would take long.
    return [[one.predicate, one.facts, None] for one in counted.by_predicate], counted.predicates - len(
        counted.by_predicate
    )


async def _describe_predicate(predicate: str) -> Answer:
    found = await graph.heaviest(Wanted((None, predicate, None)), k=EXAMPLES, with_metadata=False)
    if not found.rows:
        raise Refusal(told(await missing_names([(None, predicate, None)])))
    columns = ["subject", "predicate", "object", "weight"]
    rows: list[list[Any]] = [[row.subject, row.predicate, row.object, told_weight(row.weight)] for row in found.rows]
    fit = fitted(rows, room(columns, BUDGET))
    notes = [f"{found.total:,}{' or more' if found.capped else ''} facts; the heaviest are shown. query shows others."]
    return table(columns, fit, notes, total=found.total)
