"""A run as people and programs are told of it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from triples import ids
from triples.fields import to_milliseconds
from triples.http.responses import moment
from triples.models import RecursionRun, RunStatus
from triples.runs.outcomes import Outcome
from triples.runs.rounds import count_rounds
from triples.runs.written import whose


def public_id(run: RecursionRun) -> str:
    return ids.pack(to_milliseconds(run.created_at), run.id, ids.RUN)


def run_content(run: RecursionRun) -> dict[str, Any]:
    """A run as `RunOut`."""
    run_id = public_id(run)
    return {
        "run_id": run_id,
        "status": run.status,
        "status_url": f"/recurse/{run_id}",
        "requested_by": run.requested_by,
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
        "created_at": _moment(run.created_at),
        "started_at": _moment(run.started_at),
        "finished_at": _moment(run.finished_at),
        "duration_seconds": duration(run),
    }


def duration(run: RecursionRun) -> float | None:
    """Seconds from the start to the end."""
    if run.started_at is None or run.finished_at is None:
        return None
    return (to_milliseconds(run.finished_at) - to_milliseconds(run.started_at)) / 1000


def run_sentence(run: RecursionRun) -> str:
    """What came of it, for a reader."""
    match run.status:
        case RunStatus.UNCHANGED:
            return f"Nothing has changed since the last run; {_facts(run.facts)}.{_limit(run.complete_above)}"
        case RunStatus.SUCCEEDED | RunStatus.LIMITED:
            return (
                f"{_facts(run.facts)}: {run.added:,} added, {run.changed:,} changed,"
                f" {run.removed:,} removed ({run.mode}, {duration(run):,.1f} s).{_limit(run.complete_above)}"
            )
        case RunStatus.QUEUED | RunStatus.RUNNING:
            return "The run goes on."
        case RunStatus.DIED:
            return f"The run ended as died: {run.error}"
        case _:
            return f"The run ended as {run.status}: {run.error.rstrip('.')}; {whose(run)}."


def dry_content(outcome: Outcome) -> dict[str, Any]:
    """What a run would have come to, as JSON."""
    return {
        "dry_run": True,
        "status": outcome.status,
        "facts": outcome.facts,
        **outcome.counts._asdict(),
        "complete_above": outcome.complete_above,
        "seconds": outcome.seconds,
    }


def dry_sentence(outcome: Outcome) -> str:
    counts = outcome.counts
    return (
        f"There would be {_facts(outcome.facts)}: {counts.added:,} added, {counts.changed:,} changed,"
        f" {counts.removed:,} removed.{_limit(outcome.complete_above)} Nothing was written."
    )


def _limit(complete_above: float | None) -> str:
    """All digits: the weight is often the next number after one of which no fact could be kept."""
    if complete_above is None:
        return ""
    return f" A limit was met: all facts of weight {complete_above!r} and above are there, none below."


def _facts(number: int | None) -> str:
    return "1 inferred fact" if number == 1 else f"{number or 0:,} inferred facts"


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment(to_milliseconds(at))


class RoundOut(BaseModel):
    new: Annotated[int, Field(description="Facts derived for the first time.")]
    improved: Annotated[int, Field(description="Facts that got a heavier proof.")]
    total: Annotated[int, Field(description="Derived facts after the round.")]
    seconds: float
    rounds: Annotated[int, Field(description="Of how many rounds this is the sum; a run of very many has sums.")] = 1


class RunOut(BaseModel):
    run_id: UUID
    status: Annotated[
        Literal["queued", "running", "succeeded", "unchanged", "limited", "timed_out", "failed", "died"],
        Field(description="`limited`: a limit was met, and only facts of weight `complete_above` or more are kept."),
    ]
    status_url: str
    requested_by: str
    options: dict[str, Any]
    mode: Literal["full", "incremental"] | None
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
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_seconds: float | None
