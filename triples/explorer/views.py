"""The explorer's page, and its reader of questions. Both are open: neither shows anything of the graph."""

from typing import Annotated

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_ratelimit.decorators import ratelimit
from pydantic import Field

from skg_site.api.fields import INTEGER_TEXT, NUMBER_TEXT, Weight
from skg_site.api.inputs import QueryString
from skg_site.api.problems import Invalid
from skg_site.api.reading import parameters_of
from skg_site.api.views import json_answer
from triples.explorer.access import access_of
from triples.explorer.problems import answers_problems
from triples.question_lines.answering import read_question
from triples.question_lines.code_samples import PATH, curl_line, python_lines
from triples.question_lines.faults import FaultyQuestion
from triples.question_lines.lines import read_lines, split_lines

RATE = "240/m"
MAX_QUESTION = 20_000


class QuestionParameters(QueryString):
    """The query string of a question in lines."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION)]
    k: Annotated[int, Field(ge=1, le=settings.ENV.max_results), INTEGER_TEXT] = 10
    min_weight: Annotated[Weight, NUMBER_TEXT] = 0.0


@require_safe
@ratelimit(group="explorer", key="ip", rate=RATE)  # type: ignore[untyped-decorator]  # django-ratelimit has no types
def page(request: HttpRequest) -> HttpResponse:
    """GET /explorer"""
    access = access_of(request)
    context = {"access": access, "next": request.get_full_path(), "max_results": settings.ENV.max_results}
    return render(request, "explorer/explorer.html", context)


@require_safe
@ratelimit(group="explorer", key="ip", rate=RATE)  # type: ignore[untyped-decorator]  # as above
@answers_problems
def question(request: ASGIRequest) -> HttpResponse:
    """GET /explorer/question: lines as the body of POST /query/patterns, with the calls that ask the same."""
    given = parameters_of(request, QuestionParameters)
    try:
        document, names = read_lines(split_lines(given.text))
        body = {**document, "k": given.k} | ({"min_weight": given.min_weight} if given.min_weight else {})
        read_question(body, names)
    except FaultyQuestion as faulty:
        raise Invalid([{"loc": ["text"], "msg": one, "type": "question"} for one in faulty.sentences]) from None
    url = request.build_absolute_uri(PATH)
    return json_answer({"document": body, "curl": curl_line(url, body), "python": python_lines(url, body)})
