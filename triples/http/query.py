"""POST /query: the heaviest facts that match one pattern."""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Annotated, Any, ClassVar, NotRequired

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import Field, PlainValidator, WithJsonSchema
from rest_framework.request import Request
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.fields import WHOLE, Weight
from skg_site.api.inputs import Input
from skg_site.api.openapi import request_example, response_example
from skg_site.api.reading import json_body
from skg_site.api.views import json_answer
from triples.fact_validation import asked_predicate, asked_text
from triples.http import query_cache
from triples.http.asked_terms import place_schema, read_asked
from triples.http.fact_json import WEIGHT_SHOWN, FactOut, metadata_content, public_id, shown_weight
from triples.http.snapshot_headers import SEES_SNAPSHOT
from triples.http.views import GraphViewSet
from triples.metrics import count_query
from triples.patterns import Variable, equal_columns
from triples.query.fact_rows import InferredRow
from triples.query.reads import Matches, Wanted
from triples.services.graph import graph
from triples.text import MAX_PREDICATE_LENGTH, MAX_TERM_LENGTH


def _place(clean: Callable[[str], str], longest: int, example: str) -> tuple[PlainValidator, WithJsonSchema]:
    """A place of a pattern, read as a clean constant or as a variable, and its schema."""
    description = f"A constant of 1 to {longest} characters, or a variable such as `?x`."
    read = partial(read_asked, clean, longest)
    return PlainValidator(read), place_schema(longest, example, description, "variable")


_SubjectPlace = Annotated[str | Variable, *_place(asked_text, MAX_TERM_LENGTH, "Einstein")]
_PredicatePlace = Annotated[str | Variable, *_place(asked_predicate, MAX_PREDICATE_LENGTH, "discovered")]
_ObjectPlace = Annotated[str | Variable, *_place(asked_text, MAX_TERM_LENGTH, "Relativity")]


class Query(Input):
    pattern: Annotated[
        tuple[_SubjectPlace | None, _PredicatePlace | None, _ObjectPlace | None],
        # JSON has arrays only.
        Field(
            strict=False,
            description=(
                "Subject, predicate and object. null stands for anything, and so does a variable such as `?x`; where a"
                " variable stands twice, both places hold the same term. A constant that begins with a question mark"
                " is written as an object."
            ),
            examples=[["Einstein", None, None]],
        ),
    ]
    k: Annotated[int, Field(ge=1, le=settings.ENV.max_results, description="Most results to answer."), WHOLE] = 10
    min_weight: Weight = 0.0
    include_metadata: bool = False
    include_inferred: Annotated[
        bool, Field(description="Show inferred facts too, and of each result whether it is one.")
    ] = True

    @property
    def wanted(self) -> Wanted:
        subject, predicate, object_ = pattern = self.pattern
        if isinstance(subject, Variable) or isinstance(predicate, Variable) or isinstance(object_, Variable):
            subject, predicate, object_ = (None if isinstance(place, Variable) else place for place in pattern)
            bound = (subject, predicate, object_)
            return Wanted(bound, self.min_weight, inferred=self.include_inferred, equal=equal_columns(pattern))
        return Wanted((subject, predicate, object_), self.min_weight, inferred=self.include_inferred)


class ResultOut(FactOut):
    weight: Annotated[float, Field(description=WEIGHT_SHOWN)]
    metadata: NotRequired[
        Annotated[dict[str, Any] | None, Field(default=None, description="Only with include_metadata.")]
    ]
    inferred: NotRequired[Annotated[bool | None, Field(default=None, description="Only with include_inferred.")]]


class QueryOut(TypedDict):
    results: Annotated[list[ResultOut], Field(description="Heaviest first; at equal weight asserted facts, by id.")]
    total: Annotated[int, Field(description="How many facts match; exact up to 10,000.")]
    total_capped: NotRequired[
        Annotated[bool, Field(default=False, description="Present and true when more than 10,000 match.")]
    ]
    query_time_ms: int


QUERY: QueryOut = {
    "results": [
        {
            "id": "018d0c8e-9a40-8000-8000-000000000001",
            "subject": "Einstein",
            "predicate": "discovered",
            "object": "Relativity",
            "weight": 0.95,
            "metadata": {},
            "inferred": False,
        }
    ],
    "total": 1,
    "query_time_ms": 1,
}


def query_content(matches: Matches, seconds: float, *, with_metadata: bool, with_inferred: bool) -> QueryOut:
    results: list[ResultOut] = []
    for row in matches.rows:
        result: ResultOut = {
            "id": public_id(row),
            "subject": row.subject,
            "predicate": row.predicate,
            "object": row.object,
            "weight": shown_weight(row),
        }
        if with_metadata:
            result["metadata"] = metadata_content(row)
        if with_inferred:
            result["inferred"] = isinstance(row, InferredRow)
        results.append(result)
    content: QueryOut = {"results": results, "total": matches.total, "query_time_ms": round(seconds * 1000)}
    if matches.capped:
        content["total_capped"] = True
    return content


match_pattern = extend_schema(
    summary="Match a pattern",
    description=(
        "The `k` heaviest facts that match, asserted or inferred. At equal weight asserted facts come first, in the"
        " order of their ids. An inferred fact is not shown from the moment that a fact which its proof rests on is"
        " deleted, until the next run finds out whether there is another proof."
    ),
    parameters=[SEES_SNAPSHOT],
    request=Query,
    responses={200: OpenApiResponse(QueryOut, "The matches.")},
    examples=[
        request_example(
            "All about Einstein",
            {"pattern": ["Einstein", None, None], "k": 10, "min_weight": 0.5, "include_metadata": True},
        ),
        response_example("One match", QUERY, 200),
    ],
)


class QueryViewSet(GraphViewSet):
    scopes: ClassVar[dict[str, str]] = {"query": "read"}

    @match_pattern
    async def query(self, request: Request) -> HttpResponse:
        start = perf_counter()
        body = await json_body(request, Query)
        wanted = body.wanted
        heaviest = query_cache.heaviest if query_cache.is_used() else graph.heaviest
        matches = await heaviest(wanted, k=body.k, with_metadata=body.include_metadata)
        count_query(wanted.pattern, len(matches.rows))
        seconds = perf_counter() - start
        return json_answer(
            query_content(matches, seconds, with_metadata=body.include_metadata, with_inferred=body.include_inferred)
        )
