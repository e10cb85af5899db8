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
from triples.http.questions.answering import Asked
from triples.http.questions.asking import answer_neighbours, answer_paths, answer_patterns
from triples.http.questions.path_models import PATHS_COST, AskNeighbours, AskPaths
from triples.http.questions.request_models import Ask
from triples.http.views import GraphViewSet


class AskViewSet(GraphViewSet):
    scopes: ClassVar[dict[str, str]] = {"patterns": "read", "paths": "read", "neighbours": "read"}

    @openapi.ask
    async def patterns(self, request: Request) -> HttpResponse:
        start = perf_counter()
        body = await json_body(request, Ask)
        asked = Asked(body)
        await self.charge(request, body.patterns_in_all - 1)
        content = await self.while_allowed(answer_patterns(asked, partial(query_cache.answer, request)))
        content["query_time_ms"] = round((perf_counter() - start) * 1000)
        return json_answer(content)

    @openapi.ask_paths
    async def paths(self, request: Request) -> HttpResponse:
        start = perf_counter()
        body = await json_body(request, AskPaths)
        body.check()
        await self.charge(request, PATHS_COST - 1)
        content = await self.while_allowed(answer_paths(body, partial(query_cache.answer, request)))
        content["query_time_ms"] = round((perf_counter() - start) * 1000)
        return json_answer(content)

    @openapi.ask_neighbours
    async def neighbours(self, request: Request) -> HttpResponse:
        start = perf_counter()
        content = await answer_neighbours(await json_body(request, AskNeighbours), partial(query_cache.answer, request))
        content["query_time_ms"] = round((perf_counter() - start) * 1000)
        return json_answer(content)
