"""The API's reads for users of the admin who may view facts: the same paths, bodies and answers as for a read key.

The long reads end as those of the API do: after SKG_QUERY_TIMEOUT, and when the client goes away.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from time import perf_counter
from typing import Any, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from pydantic import BaseModel
from rest_framework.exceptions import MethodNotAllowed

from skg_site.api.json_value_limit import MAX_VALUES, check_values
from skg_site.api.reading import check_content, parameters_of, parse_json, validated
from skg_site.api.views import json_answer
from triples.explorer.access import Access, check
from triples.explorer.problems import View, answers_problems
from triples.http.fact_json import triple_content
from triples.http.fact_reads import ListParameters, read_fact, read_page, wanted_fact
from triples.http.proofs import ExplainParameters, proof_content
from triples.http.questions.answering import Asked
from triples.http.questions.asking import answer_neighbours, answer_paths, answer_patterns
from triples.http.questions.path_models import AskNeighbours, AskPaths
from triples.http.questions.request_models import Ask
from triples.http.term_models import SearchParameters, terms_content
from triples.query.explanations import Asserted
from triples.recursion.programs import Key
from triples.services.graph import graph
from triples.store.operations import NoSuchFact

Model = TypeVar("Model", bound=BaseModel)
Answer = Callable[..., Awaitable[Any]]


def data_view(method: str) -> Callable[[Answer], View]:
    """A view of this method that answers, to users who may view facts, with JSON."""

    def decorate(answer: Answer) -> View:
        @answers_problems
        @wraps(answer)
        async def view(request: ASGIRequest, **places: Any) -> HttpResponse:
            if request.method != method:
                refusal = MethodNotAllowed(str(request.method))
                refusal.allowed = [method]  # type: ignore[attr-defined]  # for the Allow header
                raise refusal
            # The user and the permissions are read from the database.
            access = await sync_to_async(check)(request)
            start = perf_counter()
            content = await answer(request, access, **places)
            if "query_time_ms" in content:
                content["query_time_ms"] = round((perf_counter() - start) * 1000)
            return json_answer(content)

        return view

    return decorate


@data_view("GET")
async def terms(request: ASGIRequest, _access: Access) -> Any:
    wanted = parameters_of(request, SearchParameters)
    found = await graph.search_terms(wanted.wanted)
    return terms_content(found)


@data_view("GET")
async def triples(request: ASGIRequest, access: Access) -> Any:
    wanted = parameters_of(request, ListParameters)
    if not access.inferred:
        if wanted.inferred:
            return {"triples": [], "next_cursor": None}
        wanted = wanted.model_copy(update={"inferred": False})
    return await read_page(wanted)


@data_view("GET")
async def triple(_request: ASGIRequest, access: Access, id: UUID) -> Any:
    return triple_content(await read_fact(_visible(id, access)))


@data_view("GET")
async def explain(request: ASGIRequest, access: Access, id: UUID) -> Any:
    parameters = parameters_of(request, ExplainParameters)
    return proof_content(await graph.explain(_visible(id, access), depth=parameters.depth))


@data_view("POST")
async def neighbours(request: ASGIRequest, access: Access) -> Any:
    return await answer_neighbours(_body(request, AskNeighbours, access))


@data_view("POST")
async def patterns(request: ASGIRequest, access: Access) -> Any:
    return await answer_patterns(Asked(_body(request, Ask, access)))


@data_view("POST")
async def paths(request: ASGIRequest, access: Access) -> Any:
    body = _body(request, AskPaths, access)
    body.check()
    return await answer_paths(body)


def _body(request: ASGIRequest, model: type[Model], access: Access) -> Model:
    """The body, which asks for asserted facts only if the user may not view others."""
    check_content(request)
    body = request.body
    check_values(body, MAX_VALUES)
    given = validated(parse_json(body), model)
    return given if access.inferred else given.model_copy(update={"include_inferred": False})


def _visible(public_id: UUID, access: Access) -> Asserted | Key:
    wanted = wanted_fact(public_id)
    if not (access.inferred or isinstance(wanted, Asserted)):
        raise NoSuchFact
    return wanted
