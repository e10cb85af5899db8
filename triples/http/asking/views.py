"""Questions beyond one pattern over HTTP."""

from functools import partial
from time import perf_counter
from typing import ClassVar

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from skg_site.api.reading import json_body
from skg_site.api.views import json_answer
from triples.http.asking import openapi
from triples.http.asking.neighbour_responses import neighbours_content
from triples.http.asking.path_models import AskNeighbours, AskPaths
from triples.http.asking.path_responses import paths_content
from triples.http.asking.request_models import Ask, position_of
from triples.http.asking.responses import AnswersOut, add_total, answers_content, groups_content, plan_content
from triples.http.views import GraphViewSet
from triples.metrics import count_question
from triples.query.asking import find_answers, find_groups
from triples.query.asking_paths import AskedPaths, find_paths
from triples.query.neighbours import AskedNeighbours, find_neighbours
from triples.query.questions import Question
from triples.services.graph import graph

# Tokens of the rate limit that a search for paths takes; a question takes one for each of its patterns.
PATHS_COST = 5


class AskViewSet(GraphViewSet):
    scopes: ClassVar[dict[str, str]] = {"patterns": "read", "paths": "read", "neighbours": "read"}

    @openapi.ask
    async def patterns(self, request: Request) -> HttpResponse:
        start = perf_counter()
        body = await json_body(request, Ask)
        question = body.question
        await self.charge(request, body.patterns_in_all - 1)
        answering = _answers(body, question) if body.group_by is None else _groups(body, question)
        content = await self.while_allowed(answering)
        count_question("patterns", len(content["results"]))
        content["query_time_ms"] = round((perf_counter() - start) * 1000)
        return json_answer(content)

    @openapi.ask_paths
    async def paths(self, request: Request) -> HttpResponse:
        start = perf_counter()
        body = await json_body(request, AskPaths)
        body.check()
        await self.charge(request, PATHS_COST - 1)
        asked = AskedPaths(
            body.from_,
            body.to,
            body.predicates,
            body.direction,
            body.max_length,
            body.k,
            body.order,
            body.min_weight,
        )
        searching = graph.ask(partial(find_paths, asked), inferred=body.include_inferred)
        content = paths_content(await self.while_allowed(searching))
        count_question("paths", len(content["paths"]))
        content["query_time_ms"] = round((perf_counter() - start) * 1000)
        return json_answer(content)

    @openapi.ask_neighbours
    async def neighbours(self, request: Request) -> HttpResponse:
        start = perf_counter()
        body = await json_body(request, AskNeighbours)
        asked = AskedNeighbours(body.term, body.k, body.direction, body.predicates, body.min_weight)
        found = await graph.ask(lambda source, _: find_neighbours(asked, source), inferred=body.include_inferred)
        content = neighbours_content(body.term, found)
        count_question("neighbours", len(content["facts"]))
        content["query_time_ms"] = round((perf_counter() - start) * 1000)
        return json_answer(content)


async def _answers(body: Ask, question: Question[str]) -> AnswersOut:
    after = position_of(body.cursor, len(question.selected))
    read = partial(find_answers, question, k=body.k, after=after, counted=body.count, with_facts=body.include_facts)
    found = await graph.ask(read, inferred=body.include_inferred)
    content = answers_content(question, found, with_facts=body.include_facts)
    if body.count:
        add_total(content, found)
    if body.explain:
        content["plan"] = plan_content(question, found.plan)
    return content


async def _groups(body: Ask, question: Question[str]) -> AnswersOut:
    found = await graph.ask(partial(find_groups, question), inferred=body.include_inferred)
    content = groups_content(question, found, settings.ENV.max_results)
    if body.explain:
        content["plan"] = plan_content(question, found.plan)
    return content
