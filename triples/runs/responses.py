"""Runs as JSON: the types of responses, with an example of each, and the functions that fill them."""

from datetime import datetime
from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.fields import Moment, UUIDText, one_of, rfc3339
from triples import ids
from triples.fields import to_milliseconds
from triples.models import RecursionRun, RunStatus
from triples.runs.outcomes import Outcome
from triples.runs.rounds import count_rounds


class RoundOut(TypedDict):
    new: Annotated[int, Field(description="Facts derived for the first time.")]
    improved: Annotated[int, Field(description="Facts that got a heavier proof.")]
    total: Annotated[int, Field(description="Derived facts after the round.")]
    seconds: float
    rounds: NotRequired[
        Annotated[int, Field(default=1, description="Of how many rounds this is the sum; a run of very many has sums.")]
    ]


class RunOut(TypedDict):
    run_id: UUIDText
    status: Annotated[
        str,
        one_of(RunStatus.values),
        Field(
            description=(
                "`limited`: a limit was met, and only facts of weight `complete_above` or more are kept."
                " `cancelled`: somebody has ended the run, and the inferred facts are as they were before it."
            )
        ),
    ]
    status_url: str
    requested_by: str
    cancel_requested_by: Annotated[str | None, Field(description="Who has asked to cancel the run.")]
    options: dict[str, Any]
    mode: Annotated[str, one_of(["full", "incremental"])] | None
    round: Annotated[int, Field(description="Rounds of inference so far.")]
    rounds: list[RoundOut]
    facts: Annotated[int | None, Field(description="Inferred facts after the run.")]
    added: int | None
    changed: int | None
    removed: int | None
    complete_above: Annotated[
        float | None, Field(description="null: all facts. Else every fact of this weight and above, and none below.")
    ]
    seconds: Annotated[dict[str, float], Field(description="Of reading, inference, comparison and writing.")]
    error: str | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    duration_seconds: float | None


RUN: RunOut = {
    "run_id": "018d0c8e-9a40-8002-8000-000000000001",
    "status": "succeeded",
    "status_url": "/recurse/018d0c8e-9a40-8002-8000-000000000001",
    "requested_by": "key 3kT9cVx1",
    "cancel_requested_by": None,
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
RUNNING: RunOut = {
    **RUN,
    "status": "running",
    "mode": None,
    "facts": None,
    "added": None,
    "changed": None,
    "removed": None,
    "finished_at": None,
    "duration_seconds": None,
    "seconds": {},
}
CANCELLED: RunOut = {
    **RUNNING,
    "status": "cancelled",
    "cancel_requested_by": "key 3kT9cVx1",
    "finished_at": "2024-01-15T10:30:01.000Z",
    "duration_seconds": 0.1,
}


def public_id(run: RecursionRun) -> str:
    return ids.pack(to_milliseconds(run.created_at), run.id, ids.RUN)


def run_content(run: RecursionRun) -> RunOut:
    run_id = public_id(run)
    return {
        "run_id": run_id,
        "status": run.status,
        "status_url": f"/recurse/{run_id}",
        "requested_by": run.requested_by,
        "cancel_requested_by": run.cancel_requested_by or None,
        "options": run.options,
        "mode": run.mode or None,
        "round": count_rounds(run.rounds),
        "rounds": run.rounds,
        "facts": run.facts,
        "added": run.added,
        "changed": run.changed,
        "removed": run.removed,
        "complete_above": run.complete_above,
        "seconds": run.seconds,
        "error": run.error or None,
        "created_at": rfc3339(run.created_at),
        "started_at": _moment(run.started_at),
        "finished_at": _moment(run.finished_at),
        "duration_seconds": duration(run),
    }


def duration(run: RecursionRun) -> float | None:
    """Seconds from the start to the end."""
    if run.started_at is None or run.finished_at is None:
        return None
    return (to_milliseconds(run.finished_at) - to_milliseconds(run.started_at)) / 1000


def dry_content(outcome: Outcome) -> dict[str, Any]:
    """The outcome that a run would have had, as JSON."""
    return {
        "dry_run": True,
        "status": outcome.status,
        "facts": outcome.facts,
        **outcome.counts._asdict(),
        "complete_above": outcome.complete_above,
        "seconds": outcome.seconds,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
