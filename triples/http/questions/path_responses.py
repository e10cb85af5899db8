"""Paths as JSON."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from triples.http.questions.facts import FoundFact, found_fact
from triples.query.finding_paths import FoundPaths
from triples.weights import computed


class PathFactOut(FoundFact):
    reversed: Annotated[bool, Field(description="Walked from the object to the subject.")]


class PathOut(TypedDict):
    weight: Annotated[
        float, Field(ge=0, le=1, description="The product of the weights of its facts, to 15 significant digits.")
    ]
    length: int
    facts: list[PathFactOut]


class PathsOut(TypedDict):
    paths: list[PathOut]
    query_time_ms: int
    complete_above: NotRequired[
        Annotated[
            float | None,
            Field(default=None, description="Only if the time was over: every path heavier than this is there."),
        ]
    ]
    complete_within: NotRequired[
        Annotated[
            int | None,
            Field(
                default=None,
                description="Only if the time was over, by length: every path of at most this many facts is there.",
            ),
        ]
    ]


PATHS: PathsOut = {
    "paths": [
        {
            "weight": 0.81,
            "length": 2,
            "facts": [
                {
                    "id": "018d0c8e-9a40-8000-8000-000000000001",
                    "subject": "Einstein",
                    "predicate": "born_in",
                    "object": "Ulm",
                    "weight": 0.9,
                    "inferred": False,
                    "reversed": False,
                },
                {
                    "id": "018d0c8e-9a40-8000-8000-000000000002",
                    "subject": "Grossmann",
                    "predicate": "visited",
                    "object": "Ulm",
                    "weight": 0.9,
                    "inferred": False,
                    "reversed": True,
                },
            ],
        }
    ],
    "query_time_ms": 3,
}


def paths_content(found: FoundPaths) -> PathsOut:
    """The paths without their time."""
    paths: list[PathOut] = [
        {
            "weight": computed(path.weight),
            "length": len(path.steps),
            "facts": [{**found_fact(step.fact, found.named), "reversed": step.reversed} for step in path.steps],
        }
        for path in found.paths
    ]
    content: PathsOut = {"paths": paths, "query_time_ms": 0}
    if found.complete_above is not None:
        content["complete_above"] = found.complete_above
    if found.complete_within is not None:
        content["complete_within"] = found.complete_within
    return content
