"""The names of the graph over HTTP: its terms, searched, and its predicates, listed."""

from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from skg_site.api.openapi import response_example
from skg_site.api.reading import query_parameters
from skg_site.api.views import json_answer
from triples.http.snapshot_headers import SEES_SNAPSHOT
from triples.http.term_models import (
    CURSOR,
    PREDICATES,
    TERMS,
    PredicateParameters,
    PredicatesOut,
    SearchParameters,
    TermsOut,
    predicates_content,
    terms_content,
)
from triples.http.views import GraphViewSet
from triples.services.graph import graph

_search_terms = extend_schema(
    summary="Search terms",
    description=(
        "Finds terms by name: case, accents and width do not matter, and any script will do. A text of one or two"
        " letters finds terms that begin with it. Of very many terms that match equally well, the best of some hundred"
        " are shown. Terms that stand in no fact are left out."
    ),
    parameters=[SearchParameters, SEES_SNAPSHOT],  # type: ignore[list-item]  # its Pydantic extension takes models here too
    responses={200: OpenApiResponse(TermsOut, "The terms.")},
    examples=[response_example("One match for “einstien”", TERMS, 200)],
)

_list_predicates = extend_schema(
    summary="List predicates",
    description="Every predicate of a fact, asserted or inferred, in pages.",
    parameters=[PredicateParameters, SEES_SNAPSHOT],  # type: ignore[list-item]  # as above
    responses={200: OpenApiResponse(PredicatesOut, "A page.")},
    examples=[response_example("The only page", PREDICATES, 200)],
)


class TermViewSet(GraphViewSet):
    scopes: ClassVar[dict[str, str]] = {"search": "read", "predicates": "read"}

    @_search_terms
    async def search(self, request: Request) -> HttpResponse:
        wanted = query_parameters(request, SearchParameters)
        found = await graph.search_terms(wanted.wanted)
        return json_answer(terms_content(found))

    @_list_predicates
    async def predicates(self, request: Request) -> HttpResponse:
        wanted = query_parameters(request, PredicateParameters)
        after = 0 if wanted.cursor is None else CURSOR.decode(wanted.cursor)[0]
        # One more than is shown: if it is there, there is another page.
        found = await graph.predicates(limit=wanted.limit + 1, after=after)
        return json_answer(predicates_content(found, wanted.limit))
