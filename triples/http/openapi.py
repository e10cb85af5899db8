"""The operations on facts in the OpenAPI document."""

from drf_spectacular.utils import OpenApiResponse, extend_schema

from skg_site.api.openapi import if_match, if_none_match, not_modified, problems, request_example, response_example
from triples.http.batches import BATCH, Batch, BatchOut
from triples.http.fact_json import INFERRED_TRIPLE, STORED, TRIPLE, AddTriple, ChangeTriple, StoredOut, TripleOut
from triples.http.fact_reads import COUNTED_PAGE, PAGE, ListParameters, PageOut
from triples.http.proofs import PROOF, ExplainParameters, ExplanationOut
from triples.http.snapshot_headers import SEES_SNAPSHOT, gives_snapshot

_IF_MATCH = if_match("fact")

add_triple = extend_schema(
    summary="Add a fact",
    parameters=[gives_snapshot(200, 201)],
    request=AddTriple,
    responses={
        201: OpenApiResponse(StoredOut, "The fact is new and stored."),
        200: OpenApiResponse(StoredOut, "The fact was there: as it is stored now."),
    },
    examples=[
        request_example(
            "A fact", {key: TRIPLE[key] for key in ("subject", "predicate", "object", "weight", "metadata")}
        ),
        response_example("Inserted", STORED, 201),
    ],
)

add_batch = extend_schema(
    summary="Add many facts",
    description="All or nothing: one invalid fact refuses the batch, unless `skip_invalid` is set.",
    parameters=[gives_snapshot(202)],
    request=Batch,
    responses={202: OpenApiResponse(BatchOut, "The facts are stored."), **problems(409)},
    examples=[
        request_example(
            "Two facts",
            {
                "triples": [
                    {"subject": "Einstein", "predicate": "born_in", "object": "Germany", "weight": 1.0},
                    {"subject": "Einstein", "predicate": "won", "object": "Nobel_Prize", "weight": 1.0},
                ],
                "skip_duplicates": True,
            },
        ),
        response_example("Stored", BATCH, 202),
    ],
)

list_triples = extend_schema(
    summary="List facts",
    description=(
        "Heaviest first, in pages; facts that are added or inferred meanwhile do not disturb the order. At equal"
        " weight asserted facts come first."
    ),
    parameters=[ListParameters, SEES_SNAPSHOT],  # type: ignore[list-item]  # its Pydantic extension takes models here too
    responses={200: OpenApiResponse(PageOut, "A page.")},
    examples=[
        response_example("The only page", PAGE, 200),
        response_example("The same with count=exact", COUNTED_PAGE, 200),
    ],
)

get_triple = extend_schema(
    summary="Get a fact",
    parameters=[if_none_match("fact"), SEES_SNAPSHOT],
    responses={200: OpenApiResponse(TripleOut, "The fact; `ETag` names its version."), **not_modified("fact")},
    examples=[response_example("A fact", TRIPLE, 200), response_example("An inferred fact", INFERRED_TRIPLE, 200)],
)

explain_triple = extend_schema(
    summary="Explain a fact",
    description=(
        "The proof of an inferred fact as a tree, down to asserted facts, which have nothing below them. The premises"
        " of a fact that stands in the tree more than once are shown where it stands highest, and among those first;"
        " elsewhere it says `seen`. A tree has at most 1,000 facts; where it is cut, there or at `depth`, it says"
        " `truncated`, and the rest can be asked for by the id of the fact."
    ),
    parameters=[ExplainParameters, SEES_SNAPSHOT],  # type: ignore[list-item]  # as above
    responses={200: OpenApiResponse(ExplanationOut, "The proof.")},
    examples=[response_example("A proof of one step", PROOF, 200)],
)

change_triple = extend_schema(
    summary="Change a fact's weight or metadata",
    parameters=[_IF_MATCH, gives_snapshot(200)],
    request=ChangeTriple,
    responses={200: OpenApiResponse(TripleOut, "The fact as it is now."), **problems(409, 412)},
    examples=[request_example("A new weight", {"weight": 0.5})],
)

delete_triple = extend_schema(
    summary="Delete a fact",
    parameters=[_IF_MATCH, gives_snapshot(204)],
    responses={204: OpenApiResponse(description="The fact is gone."), **problems(409, 412)},
)
