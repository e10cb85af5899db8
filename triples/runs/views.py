"""Runs over HTTP."""

import asyncio
from time import monotonic
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from apikeys.callers import actor_of
from skg_site.api.headers import seconds_to_wait
from skg_site.api.problems import Conflict, Invalid
from skg_site.api.reading import json_body
from skg_site.api.request import http_of
from skg_site.api.threads import in_thread
from skg_site.api.views import APIViewSet, json_answer
from triples import ids
from triples.http.freshness import cover_commits
from triples.models import RecursionRun
from triples.rows_by_id import row_with_id
from triples.runs import openapi
from triples.runs.request_models import Recurse
from triples.runs.responses import run_content
from triples.services.runs import RunActive, RunEnded, UnknownRules, run_cancel, run_start

MOST_SECONDS_TO_WAIT = 300
# Short waits are what a client that waits wants to be exact; long ones need not ask the database so often.
FIRST_PAUSE, LAST_PAUSE = 0.05, 1.0


class RecurseViewSet(APIViewSet):
    scopes: ClassVar[dict[str, str]] = {"start": "recurse", "retrieve": "read", "cancel": "recurse"}
    optional_bodies = frozenset({"start"})

    @openapi.start_run
    async def start(self, request: Request) -> HttpResponse:
        wanted = await json_body(request, Recurse, optional=True)
        # Whatever the header says, it is read before there is a run.
        seconds = seconds_to_wait(http_of(request).list_header(b"prefer") or b"", MOST_SECONDS_TO_WAIT)
        try:
            run = await in_thread(run_start, options=wanted.options, requested_by=actor_of(request))
        except RunActive as active:
            raise Conflict("A run is active already.", run=run_content(active.run)) from None
        except UnknownRules as unknown:
            raise Invalid(
                [
                    {"loc": ["rules", place], "msg": "There is no enabled rule with this name", "type": "unknown_rule"}
                    for place, name in enumerate(wanted.rules)
                    if name in unknown.names
                ]
            ) from None
        run = await _awaited(run, seconds)
        await cover_commits()
        answer = json_answer(run_content(run), 202 if run.active else 200)
        if seconds:
            answer.headers["Preference-Applied"] = f"wait={seconds}"
        return answer

    @openapi.show_run
    async def retrieve(self, _request: Request, id: UUID) -> HttpResponse:
        run = await in_thread(_find, id)
        # Who is told that a run has ended finds its facts.
        await cover_commits()
        return json_answer(run_content(run))

    @openapi.cancel_run
    async def cancel(self, request: Request, id: UUID) -> HttpResponse:
        found = await in_thread(_find, id)
        try:
            run = await in_thread(run_cancel, run_id=found.id, requested_by=actor_of(request))
        except RunEnded as ended:
            raise Conflict("The run has ended already.", run=run_content(ended.run)) from None
        return json_answer(run_content(run), 202 if run.active else 200)


def _find(public_id: UUID) -> RecursionRun:
    run = row_with_id(RecursionRun, public_id, ids.RUN)
    if run is None:
        raise NotFound("There is no run with this id.")
    return run


async def _awaited(run: RecursionRun, seconds: float) -> RecursionRun:
    """The run at its end, or after this many seconds."""
    deadline, pause = monotonic() + seconds, FIRST_PAUSE
    while run.active and monotonic() < deadline:
        await asyncio.sleep(min(pause, deadline - monotonic()))
        pause = min(pause * 1.5, LAST_PAUSE)
        run = await in_thread(_reload, run.id)
    return run


def _reload(run_id: int) -> Any:
    return RecursionRun.objects.get(id=run_id)
