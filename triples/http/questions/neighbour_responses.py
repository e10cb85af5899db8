"""Neighbours of a term as JSON."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from triples.http.questions.facts import FoundFact, found_fact
from triples.query.neighbours import AROUND_LIMIT, BESIDE_LIMIT, MOST_BESIDE, MOST_PREDICATES, Neighbours

_UP_TO = f"counted up to {AROUND_LIMIT:,}"

# `in` is a word of Python.
AroundOut = TypedDict(
    "AroundOut",
    {
        "predicate": str,
        "out": Annotated[int, Field(description=f"Facts that lead from the term, {_UP_TO}.")],
        "in": Annotated[int, Field(description=f"Facts that lead to the term, {_UP_TO}.")],
    },
)


class NeighboursOut(TypedDict):
    term: str
    facts: Annotated[list[FoundFact], Field(description="The heaviest facts with the term as subject or object.")]
    more: Annotated[int, Field(description="How many facts of these predicates, of any weight, are not shown.")]
    more_capped: NotRequired[
        Annotated[bool, Field(default=False, description="Present and true when there are even more.")]
    ]
    predicates: Annotated[list[AroundOut], Field(description="The predicates around the term, most frequent first.")]
    predicates_capped: NotRequired[
        Annotated[
            bool,
            Field(
                default=False,
                description=(
                    f"Present and true where the term, or for facts that lead to it the graph, has more than"
                    f" {MOST_PREDICATES} predicates: then those of the heaviest facts are told."
                ),
            ),
        ]
    ]
    predicates_counted_up_to: NotRequired[
        Annotated[
            int,
            Field(
                default=AROUND_LIMIT,
                description=(
                    f"Present if it is less than {AROUND_LIMIT:,}: where many predicates have many facts, those of"
                    " each are counted up to this number."
                ),
            ),
        ]
    ]
    counts: NotRequired[
        Annotated[
            dict[str, int],
            Field(
                default={},
                description=(
                    f"Only with include_counts: how many facts each term of these facts has, counted up to"
                    f" {BESIDE_LIMIT}, for the first {MOST_BESIDE} terms."
                ),
            ),
        ]
    ]
    query_time_ms: int


NEIGHBOURS: NeighboursOut = {
    "term": "Einstein",
    "facts": [
        {
            "id": "018d0c8e-9a40-8000-8000-000000000001",
            "subject": "Einstein",
            "predicate": "discovered",
            "object": "Relativity",
            "weight": 0.95,
            "inferred": False,
        }
    ],
    "more": 12,
    "predicates": [{"predicate": "discovered", "out": 3, "in": 0}, {"predicate": "colleague_of", "out": 0, "in": 10}],
    "query_time_ms": 1,
}


def neighbours_content(term: str, found: Neighbours) -> NeighboursOut:
    """The neighbours without their time."""
    predicates: list[AroundOut] = [
        {"predicate": found.named.texts[one.predicate], "out": one.out, "in": one.in_} for one in found.predicates
    ]
    content: NeighboursOut = {
        "term": term,
        "facts": [found_fact(fact, found.named) for fact in found.facts],
        "more": found.more,
        "predicates": predicates,
        "query_time_ms": 0,
    }
    if found.capped:
        content["more_capped"] = True
    if not found.complete:
        content["predicates_capped"] = True
    if found.counted_up_to < AROUND_LIMIT:
        content["predicates_counted_up_to"] = found.counted_up_to
    return content
