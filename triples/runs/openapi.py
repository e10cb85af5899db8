"""What the documentation says of runs."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from skg_site.api.openapi import problems
from triples.runs.request_models import Recurse
from triples.runs.responses import RunOut

_RUN = {
    "run_id": "018d0c8e-9a40-8002-8000-000000000001",
    "status": "succeeded",
    "status_url": "/recurse/018d0c8e-9a40-8002-8000-000000000001",
    "requested_by": "key 3kT9cVx1",
    "options": {"max_depth": 5, "min_weight": 0.0, "entity_types": ["Person"], "rules": [], "force": False},
    "mode": "full",
    "round": 1,
    "rounds": [{"new": 42, "improved": 0, "total": 42, "seconds": 0.01}],
    "facts": 42,
    "added": 42,
    "changed": 0,
    "removed": 0,
    "complete_above": None,
    "seconds": {"reading": 0.01, "inference": 0.03, "comparison": 0.0, "writing": 0.02},
    "error": None,
    "created_at": "2024-01-15T10:30:00.000Z",
    "started_at": "2024-01-15T10:30:00.900Z",
    "finished_at": "2024-01-15T10:30:01.000Z",
    "duration_seconds": 0.1,
}
_ENDED = OpenApiExample("A run that has ended", _RUN, response_only=True, status_codes=["200"])

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
    parameters=[_PREFER],
    request=Recurse,
    responses={
        202: OpenApiResponse(RunOut, "The run was started; `status_url` tells how it goes."),
        200: OpenApiResponse(RunOut, "The run has ended within the time that `Prefer` gave it."),
        **problems(409),
    },
    examples=[
        OpenApiExample(
            "Some entities",
            {"force": False, "max_depth": 5, "entity_types": ["Person", "Organization"]},
            request_only=True,
        ),
        _ENDED,
        OpenApiExample(
            "A run that goes on",
            {
                **_RUN,
                "status": "running",
                "mode": None,
                **dict.fromkeys(("facts", "added", "changed", "removed", "finished_at", "duration_seconds")),
                "seconds": {},
            },
            response_only=True,
            status_codes=["202"],
        ),
    ],
)

show_run = extend_schema(
    summary="Look at a run",
    responses={200: OpenApiResponse(RunOut, "How the run goes, or how it ended."), **problems(404)},
    examples=[_ENDED],
)
