"""What the documentation says of the graph's operations."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from skg_site.api.openapi import problems
from triples.http.request_models import AddTriple, Batch, ChangeTriple, ExplainParameters, ListParameters, Query
from triples.http.responses import BatchOut, ExplanationOut, PageOut, QueryOut, StatsOut, StoredOut, TripleOut

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
    "inferred": False,
}
_INFERRED = {
    "id": "00000000-4400-8001-8000-00200000000b",
    "subject": "Ulm",
    "predicate": "located_in",
    "object": "Europe",
    "weight": 0.9,
}
_INFERRED_ROW = {
    **_INFERRED,
    "metadata": {},
    "source": "inferred",
    "created_at": "2024-01-15T11:00:00.000Z",
    "updated_at": None,
    "inferred": True,
    "depth": 1,
    "rule": "located_in is transitive",
}
_PROOF = {
    **_INFERRED,
    "inferred": True,
    "depth": 1,
    "rule": {
        "name": "located_in is transitive",
        "weight": 1.0,
        "head": ["?x", "located_in", "?z"],
        "body": [["?x", "located_in", "?y"], ["?y", "located_in", "?z"]],
    },
    "premises": [
        {
            "id": "018d0c8e-9a40-8000-8000-000000000007",
            "subject": "Ulm",
            "predicate": "located_in",
            "object": "Germany",
            "weight": 1.0,
            "inferred": False,
        },
        {
            "id": "018d0c8e-9a40-8000-8000-000000000008",
            "subject": "Germany",
            "predicate": "located_in",
            "object": "Europe",
            "weight": 0.9,
            "inferred": False,
        },
    ],
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
    description=(
        "Heaviest first, in pages; facts that are added or inferred meanwhile do not disturb the order. At equal"
        " weight asserted facts come first."
    ),
    parameters=[ListParameters],  # type: ignore[list-item]  # its Pydantic extension takes models here too
    responses={200: OpenApiResponse(PageOut, "A page.")},
    examples=[_answer("The only page", {"triples": [_ROW], "next_cursor": None})],
)

get_triple = extend_schema(
    summary="Get a fact",
    responses={200: OpenApiResponse(TripleOut, "The fact; `ETag` names its version.")},
    examples=[_answer("A fact", _ROW), _answer("An inferred fact", _INFERRED_ROW)],
)

explain_triple = extend_schema(
    summary="Explain a fact",
    description=(
        "The proof of an inferred fact as a tree, down to asserted facts, which have nothing below them. The premises"
        " of a fact that stands in the tree more than once are shown where it stands highest, and among those first;"
        " elsewhere it says `seen`. A tree has at most 1,000 facts; where it is cut, there or at `depth`, it says"
        " `truncated`, and the rest can be asked for by the id of the fact."
    ),
    parameters=[ExplainParameters],  # type: ignore[list-item]  # as above
    responses={200: OpenApiResponse(ExplanationOut, "The proof.")},
    examples=[_answer("A proof of one step", _PROOF)],
)

change_triple = extend_schema(
    summary="Change a fact's weight or metadata",
    parameters=[_IF_MATCH],
    request=ChangeTriple,
    responses={200: OpenApiResponse(TripleOut, "The fact as it is now."), **problems(409, 412)},
    examples=[OpenApiExample("A new weight", {"weight": 0.5}, request_only=True)],
)

delete_triple = extend_schema(
    summary="Delete a fact",
    parameters=[_IF_MATCH],
    responses={204: OpenApiResponse(description="The fact is gone."), **problems(409, 412)},
)

match_pattern = extend_schema(
    summary="Match a pattern",
    description=(
        "The `k` heaviest facts that match, asserted or inferred. At equal weight asserted facts come first, in the"
        " order of their ids. An inferred fact is not shown from the moment that a fact which its proof rests on is"
        " deleted, until the next run finds out whether there is another proof."
    ),
    request=Query,
    responses={200: OpenApiResponse(QueryOut, "The matches.")},
    examples=[
        OpenApiExample(
            "All about Einstein",
            {"pattern": ["Einstein", None, None], "k": 10, "min_weight": 0.5, "include_metadata": True},
            request_only=True,
        ),
        _answer(
            "One match", {"results": [{**_FACT, "metadata": {}, "inferred": False}], "total": 1, "query_time_ms": 1}
        ),
    ],
)

show_statistics = extend_schema(
    summary="The graph in numbers",
    responses={
        200: OpenApiResponse(StatsOut, "Exact counts: of facts as of now, of inferred ones as of the last run.")
    },
    examples=[
        _answer(
            "A small graph",
            {
                "total_triples": 15423,
                "unique_subjects": 892,
                "unique_predicates": 31,
                "db_size_mb": 45.2,
                "inferred_triples": 2310,
                "inferred_at": "2024-01-15T11:00:00.000Z",
                "inferred_complete_above": None,
            },
        )
    ],
)
