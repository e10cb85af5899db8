"""What the documentation says of the graph's operations."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from skg_site.api.openapi import problems
from triples.answers import BatchOut, PageOut, QueryOut, StatsOut, StoredOut, TripleOut
from triples.schemas import AddTriple, Batch, ChangeTriple, ListParameters, Query

_FACT = {
    "id": "018d0c8e-9a40-8000-8000-000000000001",
    "subject": "Einstein",
    "predicate": "discovered",
    "object": "Relativity",
    "weight": 0.95,
}
_ROW = {
    **_FACT,
    "metadata": {"source": "wikipedia", "confidence": 0.98},
    "source": "api",
    "created_at": "2024-01-15T10:30:00.000Z",
    "updated_at": None,
}
_IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Only if the fact still has this entity tag, as `ETag` gave it.",
    examples=[OpenApiExample("Any version", "*")],
)


def _answer(name: str, content: object, status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, content, response_only=True, status_codes=[str(status)])


add_triple = extend_schema(
    summary="Add a fact",
    request=AddTriple,
    responses={
        201: OpenApiResponse(StoredOut, "The fact is new and stored."),
        200: OpenApiResponse(StoredOut, "The fact was there: as it is stored now."),
    },
    examples=[
        OpenApiExample(
            "A fact",
            {key: _ROW[key] for key in ("subject", "predicate", "object", "weight", "metadata")},
            request_only=True,
        ),
        _answer("Inserted", {**_ROW, "status": "inserted"}, 201),
    ],
)

add_batch = extend_schema(
    summary="Add many facts",
    description="All or nothing: one invalid fact refuses the batch, unless `skip_invalid` is set.",
    request=Batch,
    responses={202: OpenApiResponse(BatchOut, "The facts are stored."), **problems(409)},
    examples=[
        OpenApiExample(
            "Two facts",
            {
                "triples": [
                    {"subject": "Einstein", "predicate": "born_in", "object": "Germany", "weight": 1.0},
                    {"subject": "Einstein", "predicate": "won", "object": "Nobel_Prize", "weight": 1.0},
                ],
                "skip_duplicates": True,
            },
            request_only=True,
        ),
        _answer("Stored", {"accepted": 2, "duplicates": 0, "errors": 0, "processing_time_ms": 2}, 202),
    ],
)

list_triples = extend_schema(
    summary="List facts",
    description="Heaviest first, in pages; facts that are added meanwhile do not disturb the order.",
    parameters=[ListParameters],  # type: ignore[list-item]  # its Pydantic extension takes models here too
    responses={200: OpenApiResponse(PageOut, "A page.")},
    examples=[_answer("The only page", {"triples": [_ROW], "next_cursor": None})],
)

get_triple = extend_schema(
    summary="Get a fact",
    responses={200: OpenApiResponse(TripleOut, "The fact; `ETag` names its version.")},
    examples=[_answer("A fact", _ROW)],
)

change_triple = extend_schema(
    summary="Change a fact's weight or metadata",
    parameters=[_IF_MATCH],
    request=ChangeTriple,
    responses={200: OpenApiResponse(TripleOut, "The fact as it is now."), **problems(412)},
    examples=[OpenApiExample("A new weight", {"weight": 0.5}, request_only=True)],
)

delete_triple = extend_schema(
    summary="Delete a fact",
    parameters=[_IF_MATCH],
    responses={204: OpenApiResponse(description="The fact is gone."), **problems(412)},
)

match_pattern = extend_schema(
    summary="Match a pattern",
    description="The `k` heaviest facts that match; ties are in the order of their ids.",
    request=Query,
    responses={200: OpenApiResponse(QueryOut, "The matches.")},
    examples=[
        OpenApiExample(
            "All about Einstein",
            {"pattern": ["Einstein", None, None], "k": 10, "min_weight": 0.5, "include_metadata": True},
            request_only=True,
        ),
        _answer("One match", {"results": [{**_FACT, "metadata": {}}], "total": 1, "query_time_ms": 1}),
    ],
)

show_statistics = extend_schema(
    summary="The graph in numbers",
    responses={200: OpenApiResponse(StatsOut, "Exact counts, kept up to date by every write.")},
    examples=[
        _answer(
            "A small graph",
            {"total_triples": 15423, "unique_subjects": 892, "unique_predicates": 31, "db_size_mb": 45.2},
        )
    ],
)
