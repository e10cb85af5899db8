"""Asking for a run: its row, the process that does it, and what became of those that died."""

import os
import subprocess
import sys
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from skg_site.host.write_lock import write_lock
from triples.models import RecursionRun, Rule, RunStatus
from triples.runs.lease import is_taken
from triples.runs.options import RunOptions
from triples.runs.retention import prune_runs
from triples.runs.signals import run_requested
from triples.runs.written import columns_of, whose, written_by

# A process that has not taken the lease so long after it was started will not do so any more.
START_PATIENCE = timedelta(seconds=60)

log = structlog.get_logger("skg.recursion")


class RunActive(Exception):
    """A run is queued or running."""

    def __init__(self, run: RecursionRun) -> None:
        super().__init__(run)
        self.run = run


class UnknownRules(ValueError):
    """Rules that were asked for and do not exist, or are disabled."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def request_run(options: RunOptions, requested_by: str) -> RecursionRun:
    """Queue a run and start a process of its own for it. Raises RunActive and UnknownRules."""
    run = queue_run(options, requested_by)
    variables = dict(os.environ)
    run_requested.send_robust(RecursionRun, run=run, variables=variables)
    # The shell ends at once and leaves the process to itself, so that nobody here has to wait for its end. With a
    # session of its own, Ctrl-C in the service's terminal is not meant for it, and the service's end is not its end.
    subprocess.run(  # noqa: S603  # the command is this project's own
        ["/bin/sh", "-c", '"$@" &', "sh", sys.executable, "manage.py", "recurse", "--run", str(run.id)],
        cwd=settings.BASE_DIR,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
    )
    return run


def check_rules(options: RunOptions) -> None:
    """Raises UnknownRules."""
    enabled = set(Rule.objects.filter(enabled=True, name__in=options.rules).values_list("name", flat=True))
    if unknown := [name for name in options.rules if name not in enabled]:
        raise UnknownRules(unknown)


def queue_run(options: RunOptions, requested_by: str) -> RecursionRun:
    """The row of a new run, for which a process must be started. Raises RunActive and UnknownRules."""
    check_rules(options)
    with write_lock():
        bury_the_dead()
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


def bury_the_dead() -> None:
    """Mark a run whose process is gone, so that the next one can begin."""
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
