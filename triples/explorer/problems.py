"""Views of the explorer answer problems as the API does."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse

from skg_site.api.problems import problem_from
from triples.http.store_problems import problem_for
from triples.store.operations import StoreError

View = Callable[..., Any]


def answers_problems(view: View) -> View:
    """The view with every exception turned into a problem, and with answers that no cache keeps."""
    if iscoroutinefunction(view):

        @wraps(view)
        async def answer_async(request: ASGIRequest, **places: Any) -> HttpResponse:
            try:
                response: HttpResponse = await view(request, **places)
            except Exception as error:
                response = _problem(request, error)
            return _unkept(response)

        return answer_async

    @wraps(view)
    def answer(request: ASGIRequest, **places: Any) -> HttpResponse:
        try:
            response: HttpResponse = view(request, **places)
        except Exception as error:
            response = _problem(request, error)
        return _unkept(response)

    return answer


def _problem(request: ASGIRequest, error: Exception) -> HttpResponse:
    request.request_id = secrets.token_hex(16)  # type: ignore[attr-defined]  # requests of the site door have none
    return problem_from(problem_for(error) if isinstance(error, StoreError) else error, {"request": request})


def _unkept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
