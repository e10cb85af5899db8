"""The operations on runs in the OpenAPI document."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from skg_site.api.openapi import problems, request_example, response_example
from triples.http.snapshot_headers import gives_snapshot
from triples.runs.request_models import Recurse
from triples.runs.responses import CANCELLED, RUN, RUNNING, RunOut

_ENDED = response_example("A run that has ended", RUN, 200)

_PREFER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="`wait=N` waits up to N seconds (at most 300) for the run's end (RFC 7240).",
    examples=[OpenApiExample("Half a minute", "wait=30")],
)

start_run = extend_schema(
    summary="Derive facts",
    description=(
        "Starts a run in a process of its own. One run at a time: while one is active, the answer is a 409 that"
        " holds it as `run`. An empty body asks for everything."
    ),
    parameters=[_PREFER, gives_snapshot(200, 202)],
    request=Recurse,
    responses={
        202: OpenApiResponse(RunOut, "The run was started; `status_url` tells how it goes."),
        200: OpenApiResponse(RunOut, "The run has ended within the time that `Prefer` gave it."),
        **problems(409),
    },
    examples=[
        request_example("Some entities", {"force": False, "max_depth": 5, "entity_types": ["Person", "Organization"]}),
        _ENDED,
        response_example("A run that goes on", RUNNING, 202),
    ],
)

show_run = extend_schema(
    summary="Look at a run",
    parameters=[gives_snapshot(200)],
    responses={200: OpenApiResponse(RunOut, "How the run goes, or how it ended."), **problems(404)},
    examples=[_ENDED],
)

cancel_run = extend_schema(
    summary="Cancel a run",
    description=(
        "The inferred facts stay as they were before the run. A run that is at work notices within a second or so; if"
        " its facts are in place by then, it ends well all the same. Asking again does no harm. If the run has ended,"
        " the answer is a 409 that holds it as `run`."
    ),
    request=None,
    responses={
        202: OpenApiResponse(RunOut, "The run was told to end; `status_url` tells when it has."),
        200: OpenApiResponse(RunOut, "The run had not begun, and has ended now."),
        **problems(404, 409),
    },
    examples=[
        response_example("A run that is about to end", {**RUNNING, "cancel_requested_by": "key 3kT9cVx1"}, 202),
        response_example("Cancelled before it began", {**CANCELLED, "rounds": [], "round": 0, "started_at": None}, 200),
    ],
)
