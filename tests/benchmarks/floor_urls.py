"""The one path of `floor_app`."""

import os
from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.settings import api_settings

from skg_site.api.reading import json_body
from skg_site.api.views import APIViewSet, json_answer
from tests.benchmarks.floor_steps import VARIABLE, Step, has
from triples.http.query import Query

ANSWER: dict[str, Any] = {"results": [], "total": 0}


class EmptyViewSet(APIViewSet):
    scopes: ClassVar[dict[str, str]] = {"empty": "read", "reading": "read"}

    async def empty(self, _request: Request) -> HttpResponse:
        return json_answer(ANSWER)

    async def reading(self, request: Request) -> HttpResponse:
        await json_body(request, Query)
        return json_answer(ANSWER)


_step = Step(os.environ[VARIABLE])
_authenticated, _limited = has(_step, Step.AUTHENTICATION), has(_step, Step.LIMITS)
urlpatterns = [
    path(
        "query",
        EmptyViewSet.as_view(
            {"post": "reading" if has(_step, Step.READING) else "empty"},
            basename="query",
            authentication_classes=api_settings.DEFAULT_AUTHENTICATION_CLASSES if _authenticated else (),
            permission_classes=api_settings.DEFAULT_PERMISSION_CLASSES if _authenticated else (),
            throttle_classes=api_settings.DEFAULT_THROTTLE_CLASSES if _limited else (),
        ),
    )
]
