"""Prometheus metrics of runs. A run is a process of its own, so they are read from what it recorded."""

from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils import timezone
from prometheus_client import Gauge

from skg_site.api.threads import in_thread
from triples.models import RecursionRun, RunStatus
from triples.runs.rounds import count_rounds


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(f"skg_recursion_{name}", meaning, labels, multiprocess_mode="livemostrecent")


RUNS = _gauge("runs", "Runs on record, by how they ended", "outcome")
RUNNING = _gauge("running", "1 while a run is queued or running")
RUNNING_SECONDS = _gauge("running_seconds", "How long the active run has been going on; 0 without one")
TIMEOUT = _gauge("timeout_seconds", "When a run is stopped: SKG_RECURSION_TIMEOUT")
DURATION = _gauge("last_duration_seconds", "How long the last run took, from its start to its end")
ROUNDS = _gauge("last_rounds", "Rounds of the last run")
CHANGED = _gauge("last_facts", "Inferred facts that the last run added, changed and removed", "change")
LAST_END = _gauge("last_end_timestamp_seconds", "When a run last ended")
LAST_SUCCESS = _gauge("last_success_timestamp_seconds", "When a run last ended well")
LAST_FAILURE = _gauge("last_failure_timestamp_seconds", "When a run last failed; a run that was cancelled has not")

ENDED_WELL = (RunStatus.SUCCEEDED, RunStatus.UNCHANGED, RunStatus.LIMITED)
OUTCOMES = [status for status in RunStatus if status not in {RunStatus.QUEUED, RunStatus.RUNNING}]


class _Record(NamedTuple):
    """Numbers of the runs that have ended, read from their rows."""

    outcomes: dict[str, int]
    last: RecursionRun
    last_success: float
    last_failure: float


# What was last shown, by the last run that had ended: counting the rows again would show the same.
_shown: int | None = None


async def sample() -> None:
    global _shown  # noqa: PLW0603  # one for each process, as the gauges are
    active = await in_thread(RecursionRun.objects.filter(active=True).first)
    RUNNING.set(active is not None)
    started = active and (active.started_at or active.created_at)
    RUNNING_SECONDS.set((timezone.now() - started).total_seconds() if started else 0)
    TIMEOUT.set(settings.ENV.recursion_timeout)
    record = await in_thread(_record, _shown)
    if record is not None:
        _show(record)
        _shown = record.last.id


def _record(shown: int | None) -> _Record | None:
    """The numbers of all runs that have ended, or None when none has ended since `shown`."""
    ended = RecursionRun.objects.filter(active=None)
    last = ended.order_by("-id").first()
    if last is None or last.id == shown:
        return None
    counted = dict(ended.order_by().values_list("status").annotate(Count("id")))
    good = ended.filter(status__in=ENDED_WELL)
    failed = ended.exclude(status__in=[*ENDED_WELL, RunStatus.CANCELLED])
    return _Record(counted, last, _last_end(good), _last_end(failed))


def _last_end(ended: QuerySet[RecursionRun]) -> float:
    last = ended.order_by("-id").first()
    return last.finished_at.timestamp() if last and last.finished_at else 0.0


def _show(record: _Record) -> None:
    for outcome in OUTCOMES:
        RUNS.labels(outcome).set(record.outcomes.get(outcome, 0))
    last = record.last
    ended = last.finished_at or last.created_at
    DURATION.set((ended - (last.started_at or last.created_at)).total_seconds())
    ROUNDS.set(count_rounds(last.rounds))
    for change in ("added", "changed", "removed"):
        CHANGED.labels(change).set(getattr(last, change) or 0)
    LAST_END.set(ended.timestamp())
    LAST_SUCCESS.set(record.last_success)
    LAST_FAILURE.set(record.last_failure)
