"""A run's row, kept up to date while the run goes on and closed when it ends."""

import os
import socket
from contextlib import suppress
from time import monotonic
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, transaction
from django.utils import timezone

from skg_site.host.write_lock import write_lock
from triples.models import RecursionRun, RunStatus
from triples.runs.engine_choice import EMBEDDED, EngineChoice
from triples.runs.execution import execute
from triples.runs.lease import lease
from triples.runs.options import RunOptions
from triples.runs.outcomes import Cancelled, Outcome, TimedOut, Watcher
from triples.runs.published import columns_of, generation, written_by
from triples.runs.rounds import add_round
from triples.runs.signals import round_ended, run_ended, run_started
from triples.runs.stopping import cancellation

# A row is written so often at most: each time is a commit.
RECORD_SECONDS = 1.0
MAX_ERROR_LENGTH = 2000
# Those who look whether the lease is taken hold it for a moment.
LEASE_PATIENCE = 5.0

log = structlog.get_logger("skg.recursion")


class Recorder:
    """Notes rounds in the run's row, and passes what it is told on to who shows it."""

    def __init__(self, run: RecursionRun, watcher: Watcher | None = None) -> None:
        self.run = run
        self.rounds: list[dict[str, Any]] = []
        self._watcher = watcher
        self._recorded = 0.0

    def stage(self, name: str, done: int, total: int | None) -> None:
        if self._watcher is not None:
            self._watcher.stage(name, done, total)

    def round(self, number: int, new: int, improved: int, total: int, seconds: float) -> None:
        add_round(self.rounds, new, improved, total, seconds)
        if monotonic() - self._recorded > RECORD_SECONDS:
            record(self.run, rounds=self.rounds)
            self._recorded = monotonic()
        round_ended.send_robust(RecursionRun, run=self.run, number=number, new=new, improved=improved, seconds=seconds)
        if self._watcher is not None:
            self._watcher.round(number, new, improved, total, seconds)


def perform(run: RecursionRun, recorder: Recorder, engine: EngineChoice = EMBEDDED) -> RecursionRun:
    """Do a queued run in this process, and return its row as it ended.

    One that was cancelled before it began is left alone. Raises LeaseTaken when another run is active. Whatever else
    goes wrong is in the row, and raised after that.
    """
    with lease(LEASE_PATIENCE) as holder:
        options = RunOptions.of(run.options)
        try:
            if not _begin(run):
                return run
            run_started.send_robust(RecursionRun, run=run)
            log.info("run_started", run=run.id, requested_by=run.requested_by, **options.counted)
            with cancellation(run) as cancelled:
                outcome = execute(options, recorder, holder, engine=engine, cancelled=cancelled)
        except TimedOut:
            _end(run, recorder, status=RunStatus.TIMED_OUT, error="It took longer than SKG_RECURSION_TIMEOUT allows.")
        except Cancelled:
            _end(run, recorder, status=RunStatus.CANCELLED)
        except BaseException as error:
            # Where the database is lost this cannot be written either; the next run finds the dead one.
            with suppress(DatabaseError, InterfaceError):
                told = f"{type(error).__name__}: {error}"[:MAX_ERROR_LENGTH]
                _end(run, recorder, status=RunStatus.FAILED, error=told, **columns_of(written_by(run)))
            raise
        else:
            _end(run, recorder, **_columns(outcome))
    return run


def record(run: RecursionRun, **columns: Any) -> None:
    """Write columns of the row."""
    for name, value in columns.items():
        setattr(run, name, value)
    with write_lock(), transaction.atomic():
        run.save(update_fields=list(columns))


def _begin(run: RecursionRun) -> bool:
    """Record that the run begins; False if it was cancelled before."""
    before = generation()
    with write_lock():
        begun = RecursionRun.objects.filter(id=run.id, active=True).update(
            status=RunStatus.RUNNING,
            process=f"{socket.gethostname()}:{os.getpid()}",
            generation_before=before,
            started_at=timezone.now(),
        )
    run.refresh_from_db()
    return bool(begun)


def _end(run: RecursionRun, recorder: Recorder, **columns: Any) -> None:
    record(run, active=None, rounds=recorder.rounds, finished_at=timezone.now(), **columns)
    run.refresh_from_db(fields=["cancel_requested_by"])
    run_ended.send_robust(RecursionRun, run=run)
    if run.error:
        log.error("run_ended", run=run.id, status=run.status, error=run.error)
    else:
        log.info("run_ended", run=run.id, status=run.status, mode=run.mode, facts=run.facts, seconds=run.seconds)


def _columns(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": outcome.status,
        "mode": outcome.mode,
        "facts": outcome.facts,
        "complete_above": outcome.complete_above,
        "seconds": outcome.seconds,
        **outcome.counts._asdict(),
    }
