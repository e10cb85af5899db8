"""GET /stats: the graph in numbers."""

from typing import Annotated, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import Field
from rest_framework.request import Request
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.fields import Moment
from skg_site.api.openapi import response_example
from skg_site.api.views import json_answer
from triples.http.fact_json import moment
from triples.http.snapshot_headers import SEES_SNAPSHOT
from triples.http.views import GraphViewSet
from triples.services.graph import graph
from triples.store.statistics import MOST_PREDICATES, Statistics


class PredicateCountOut(TypedDict):
    predicate: str
    triples: int


class StatsOut(TypedDict):
    total_triples: int
    unique_subjects: int
    unique_predicates: int
    db_size_mb: float
    inferred_triples: Annotated[int, Field(description="As of the last run of the rules.")]
    inferred_at: Annotated[Moment | None, Field(description="When inferred facts were last written.")]
    inferred_complete_above: Annotated[
        float | None, Field(description="When lighter inferred facts were too many to keep: the least weight kept.")
    ]
    predicates: Annotated[
        list[PredicateCountOut],
        Field(description=f"How many asserted facts have each, most frequent first; {MOST_PREDICATES} at most."),
    ]
    more_predicates: Annotated[int, Field(description="How many others there are.")]


STATS: StatsOut = {
    "total_triples": 15423,
    "unique_subjects": 892,
    "unique_predicates": 2,
    "db_size_mb": 45.2,
    "inferred_triples": 2310,
    "inferred_at": "2024-01-15T11:00:00.000Z",
    "inferred_complete_above": None,
    "predicates": [{"predicate": "discovered", "triples": 9120}, {"predicate": "born_in", "triples": 6303}],
    "more_predicates": 0,
}


def statistics_content(found: Statistics) -> StatsOut:
    last = found.recursion
    return {
        "total_triples": found.triples,
        "unique_subjects": found.subjects,
        "unique_predicates": found.predicates,
        "db_size_mb": round(found.size_bytes / 1_000_000, 1),
        "inferred_triples": 0 if last is None else last.facts,
        "inferred_at": None if last is None else moment(last.written_ms),
        "inferred_complete_above": None if last is None else last.complete_above,
        "predicates": [{"predicate": one.predicate, "triples": one.facts} for one in found.by_predicate],
        "more_predicates": found.predicates - len(found.by_predicate),
    }


show_statistics = extend_schema(
    summary="The graph in numbers",
    parameters=[SEES_SNAPSHOT],
    responses={
        200: OpenApiResponse(StatsOut, "Exact counts: of facts as of now, of inferred ones as of the last run.")
    },
    examples=[response_example("A small graph", STATS, 200)],
)


class StatsViewSet(GraphViewSet):
    scopes: ClassVar[dict[str, str]] = {"stats": "read"}

    @show_statistics
    async def stats(self, _request: Request) -> HttpResponse:
        return json_answer(statistics_content(await graph.statistics()))
