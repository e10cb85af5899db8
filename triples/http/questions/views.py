"""Questions of several patterns, about paths and about neighbours, over HTTP."""

from functools import partial
from time import perf_counter
from typing import ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from skg_site.api.reading import json_body
from skg_site.api.views import json_answer
from triples.http import query_cache
from triples.http.questions import openapi
from triples.http.questions.answering import Asked, asked_paths
from triples.http.questions.neighbour_responses import NeighboursOut, neighbours_content
from triples.http.questions.path_models import AskNeighbours, AskPaths
from triples.http.questions.path_responses import PathsOut, paths_content
from triples.http.questions.request_models import Ask
from triples.http.questions.responses import AnswersOut
from triples.http.views import GraphViewSet
from triples.metrics import count_question
from triples.query.finding_paths import find_paths
from triples.query.neighbours import AskedNeighbours, find_neighbours
from triples.services.graph import graph

# Tokens of the rate limit that a search for paths takes; a question takes one for each of its patterns.
PATHS_COST = 5


class AskViewSet(GraphViewSet):
    scopes: ClassVar[dict[str, str]] = {"patterns": "read", "paths": "read", "neighbours": "read"}

    @openapi.ask
    async def patterns(self, request: Request) -> HttpResponse:
        start = perf_counter()
        body = await json_body(request, Ask)
        asked = Asked(body)
        await self.charge(request, body.patterns_in_all - 1)

        async def answer() -> AnswersOut:
            return asked.content(await graph.ask(asked.find, inferred=body.include_inferred))

        content = await self.while_allowed(query_cache.answer(request, answer))
        count_question("patterns", len(content["results"]))
        content["query_time_ms"] = round((perf_counter() - start) * 1000)
        return json_answer(content)

    @openapi.ask_paths
    async def paths(self, request: Request) -> HttpResponse:
        start = perf_counter()
        body = await json_body(request, AskPaths)
        body.check()
        await self.charge(request, PATHS_COST - 1)
        find = partial(find_paths, asked_paths(body))

        async def answer() -> PathsOut:
            return paths_content(await graph.ask(find, inferred=body.include_inferred))

        content = await self.while_allowed(query_cache.answer(request, answer))
        count_question("paths", len(content["paths"]))
        content["query_time_ms"] = round((perf_counter() - start) * 1000)
        return json_answer(content)

    @openapi.ask_neighbours
    async def neighbours(self, request: Request) -> HttpResponse:
        start = perf_counter()
        body = await json_body(request, AskNeighbours)
        asked = AskedNeighbours(body.term, body.k, body.direction, body.predicates, body.min_weight)

        async def answer() -> NeighboursOut:
            found = await graph.ask(lambda source, _: find_neighbours(asked, source), inferred=body.include_inferred)
            return neighbours_content(body.term, found)

        content = await query_cache.answer(request, answer)
        count_question("neighbours", len(content["facts"]))
        content["query_time_ms"] = round((perf_counter() - start) * 1000)
        return json_answer(content)
