"""Facts over HTTP."""

from time import perf_counter
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from skg_site.api.conditional_requests import entity_tag, unless_known, versions_to_match
from skg_site.api.problems import Conflict, Invalid
from skg_site.api.reading import json_body, query_parameters, read_body
from skg_site.api.views import APIViewSet, empty_answer, json_answer
from triples.fact_validation import metadata_text
from triples.http import openapi
from triples.http.batches import MAX_VALUES, batch_content, read_batch, read_inexact_batch
from triples.http.fact_json import AddTriple, ChangeTriple, StoredOut, triple_content
from triples.http.fact_reads import ListParameters, read_fact, read_page, wanted_fact
from triples.http.proofs import ExplainParameters, proof_content
from triples.http.store_problems import problem_for
from triples.metrics import added_by
from triples.models import Source
from triples.query.explanations import Asserted
from triples.query.fact_rows import AnyRow
from triples.services.graph import graph
from triples.store.operations import (
    KEEP,
    AddMany,
    AddOne,
    Change,
    DuplicateFacts,
    Fact,
    ManyStored,
    Remove,
    Row,
    Stored,
    StoreError,
)


class GraphViewSet(APIViewSet):
    """Base of these views: refusals of the store become problems."""

    def handle_exception(self, exc: Exception) -> Any:
        return super().handle_exception(problem_for(exc) if isinstance(exc, StoreError) else exc)


class TripleViewSet(GraphViewSet):
    scopes: ClassVar[dict[str, str]] = {
        "add": "write",
        "batch": "write",
        "list": "read",
        "retrieve": "read",
        "explain": "read",
        "partial_update": "write",
        "destroy": "write",
    }

    @openapi.add_triple
    async def add(self, request: Request) -> HttpResponse:
        body = await json_body(request, AddTriple)
        stored = await graph.write(AddOne(body.fact(Source.API), replace=body.on_duplicate == "replace"))
        assert isinstance(stored, Stored)
        if stored.status == "inserted":
            added_by(Source.API).inc()
        answer: StoredOut = {**triple_content(stored.row), "status": stored.status}
        return json_answer(answer, 201 if stored.status == "inserted" else 200)

    @openapi.add_batch
    async def batch(self, request: Request) -> HttpResponse:
        start = perf_counter()
        items, skip_duplicates, invalid = await read_body(
            request, read_batch, most_values=MAX_VALUES, read_inexact=read_inexact_batch
        )
        stored = ManyStored(0, [])
        if items:
            stored = await _add_many(items, skip_duplicates)
            added_by(Source.BATCH).inc(stored.inserted)
        return json_answer(batch_content(stored, invalid, perf_counter() - start), 202)

    @openapi.list_triples
    async def list(self, request: Request) -> HttpResponse:
        return json_answer(await read_page(query_parameters(request, ListParameters)))

    @openapi.get_triple
    async def retrieve(self, request: Request, id: UUID) -> HttpResponse:
        return unless_known(request, _triple_answer(await read_fact(wanted_fact(id))))

    @openapi.explain_triple
    async def explain(self, request: Request, id: UUID) -> HttpResponse:
        parameters = query_parameters(request, ExplainParameters)
        return json_answer(proof_content(await graph.explain(wanted_fact(id), depth=parameters.depth)))

    @openapi.change_triple
    async def partial_update(self, request: Request, id: UUID) -> HttpResponse:
        key, created_ms = await _changeable(id)
        body = await json_body(request, ChangeTriple)
        if not body.model_fields_set:
            raise Invalid([{"loc": [], "msg": "Give a weight, a metadata or both", "type": "nothing_to_change"}])
        operation = Change(
            key,
            created_ms,
            weight=body.weight if "weight" in body.model_fields_set else KEEP,
            metadata=metadata_text(body.metadata) if "metadata" in body.model_fields_set else KEEP,
            versions=versions_to_match(request),
        )
        row = await graph.write(operation)
        assert isinstance(row, Row)
        return _triple_answer(row)

    @openapi.delete_triple
    async def destroy(self, request: Request, id: UUID) -> HttpResponse:
        await graph.write(Remove(*await _changeable(id), versions=versions_to_match(request)))
        return empty_answer()


async def _changeable(public_id: UUID) -> Asserted:
    wanted = wanted_fact(public_id)
    if isinstance(wanted, Asserted):
        return wanted
    await graph.inferred_fact(wanted)
    raise Conflict("An inferred fact follows from others and cannot be changed; assert it to give it a weight.")


def _triple_answer(row: AnyRow) -> HttpResponse:
    return json_answer(triple_content(row), headers={"ETag": entity_tag(row.version)})


async def _add_many(items: dict[int, Fact], skip_duplicates: bool) -> ManyStored:
    """Store the facts; `DuplicateFacts` has their places in the client's batch."""
    try:
        stored = await graph.write(AddMany(list(items.values()), skip_duplicates))
    except DuplicateFacts as error:
        places = list(items)
        raise DuplicateFacts([places[index] for index in error.places]) from None
    assert isinstance(stored, ManyStored)
    return stored
