"""Sentences that say how a run ended, for people."""

from triples.models import RecursionRun, RunStatus
from triples.runs.outcomes import Outcome
from triples.runs.published import whose
from triples.runs.responses import duration
from triples.runs.rounds import count_rounds


def run_sentence(run: RecursionRun) -> str:
    """The outcome, for a reader."""
    match run.status:
        case RunStatus.UNCHANGED:
            return f"Nothing has changed since the last run; {_facts(run.facts)}.{_limit(run.complete_above)}"
        case RunStatus.SUCCEEDED | RunStatus.LIMITED:
            return (
                f"{_facts(run.facts)}: {run.added:,} added, {run.changed:,} changed,"
                f" {run.removed:,} removed ({run.mode}, {duration(run):,.1f} s).{_limit(run.complete_above)}"
            )
        case RunStatus.QUEUED | RunStatus.RUNNING:
            return _progress(run)
        case RunStatus.CANCELLED:
            return f"The run was cancelled by {run.cancel_requested_by}; {whose(run)}."
        case RunStatus.DIED:
            return f"The run ended as died: {run.error}"
        case _:
            return f"The run ended as {run.status}: {run.error.rstrip('.')}; {whose(run)}."


def _progress(run: RecursionRun) -> str:
    if run.cancel_requested_by:
        return f"The run is about to end: {run.cancel_requested_by} has cancelled it."
    if run.status == RunStatus.QUEUED:
        return "The run waits for its process to start."
    if not run.rounds:
        return "The run goes on."
    rounds = count_rounds(run.rounds)
    return f"The run goes on: {rounds:,} round{'s' * (rounds > 1)}, {_facts(run.rounds[-1]['total'])} so far."


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
