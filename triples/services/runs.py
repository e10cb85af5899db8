"""Use cases of runs: start a run, with its row and its process, cancel it, and close one whose process died."""

import os
from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from skg_site.host.write_lock import write_lock
from triples.detached_commands import start_detached
from triples.models import RecursionRun, Rule, RunStatus
from triples.runs.lease import is_taken
from triples.runs.options import RunOptions
from triples.runs.published import columns_of, whose, written_by
from triples.runs.retention import prune_runs
from triples.runs.signals import run_requested
from triples.visible import visible

# A process that takes no lease within this time after its start has died.
START_PATIENCE = timedelta(seconds=60)

log = structlog.get_logger("skg.recursion")


class RunActive(Exception):
    """A run is queued or running."""

    def __init__(self, run: RecursionRun) -> None:
        super().__init__(run)
        self.run = run


class RunEnded(Exception):
    """The run has ended, so that there is nothing to cancel."""

    def __init__(self, run: RecursionRun) -> None:
        super().__init__(run)
        self.run = run


class UnknownRules(ValueError):
    """Rules that do not exist or are disabled; the message is a sentence."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"There is no enabled rule named {visible(', '.join(names))}.")
        self.names = names


def run_start(*, options: RunOptions, requested_by: str) -> RecursionRun:
    """Queue a run and start a process of its own for it. Raises RunActive and UnknownRules."""
    run = run_queue(options=options, requested_by=requested_by)
    variables = dict(os.environ)
    run_requested.send_robust(RecursionRun, run=run, variables=variables)
    start_detached(["recurse", "--run", str(run.id)], variables)
    return run


def run_check_rules(*, options: RunOptions) -> None:
    """Raise UnknownRules if the options name a rule that is not enabled."""
    enabled = set(Rule.objects.filter(enabled=True, name__in=options.rules).values_list("name", flat=True))
    if unknown := [name for name in options.rules if name not in enabled]:
        raise UnknownRules(unknown)


def run_queue(*, options: RunOptions, requested_by: str) -> RecursionRun:
    """Make the row of a new run; the caller starts the process. Raises RunActive and UnknownRules."""
    run_check_rules(options=options)
    with write_lock():
        _close_dead_run()
        try:
            with transaction.atomic():
                run = RecursionRun.objects.create(
                    options=options.content,
                    requested_by=requested_by,
                    created_at=timezone.now(),  # type: ignore[misc]  # the stubs take the column for a number
                )
                prune_runs()
                return run
        except IntegrityError:
            active = RecursionRun.objects.filter(active=True).first()
            if active is None:
                raise
            raise RunActive(active) from None


def run_cancel(*, run_id: int, requested_by: str) -> RecursionRun:
    """End a run that is queued, and ask one that is running to end, which takes it a moment. Raises RunEnded.

    Once asked, it may be asked again.
    """
    with write_lock():
        _close_dead_run()
        active = RecursionRun.objects.filter(id=run_id, active=True)
        asked = active.filter(status=RunStatus.QUEUED).update(
            active=None,
            status=RunStatus.CANCELLED,
            cancel_requested_by=requested_by,
            finished_at=timezone.now(),
        ) or active.filter(cancel_requested_by="").update(cancel_requested_by=requested_by)
    run = RecursionRun.objects.get(id=run_id)
    if asked:
        log.info("run_cancelled", run=run.id, status=run.status, requested_by=requested_by)
    elif run.active is None:
        raise RunEnded(run)
    return run


def _close_dead_run() -> None:
    """Mark an active run whose process is gone as died, so that the next one can begin."""
    active = RecursionRun.objects.filter(active=True).first()
    if active is None or is_taken():
        return
    if active.status == RunStatus.QUEUED and timezone.now() - active.created_at < START_PATIENCE:
        return
    columns = columns_of(written_by(active))
    active.facts = columns.get("facts")
    ended = RecursionRun.objects.filter(id=active.id, active=True).update(
        active=None,
        status=RunStatus.DIED,
        finished_at=timezone.now(),
        error=f"The process ended before the run did; {whose(active)}.",
        **columns,
    )
    if ended:
        log.warning("run_died", run=active.id, process=active.process)
