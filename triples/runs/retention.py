"""Runs that are so old that nobody asks for them any more."""

from datetime import datetime

from triples.models import RecursionRun
from triples.store.turns import write_lock

RUNS_AT_ONCE = 500


def remove_old_runs(before: datetime, *, dry: bool) -> int:
    """How many runs that ended were removed, or would be if `dry`.

    The newest one stays: once there has been a run, writers keep the journal.
    """
    newest = RecursionRun.objects.values_list("id", flat=True).first() or 0
    old = RecursionRun.objects.filter(active=None, created_at__lt=before, id__lt=newest).order_by("id")
    if dry:
        return old.count()
    removed = 0
    while ids := list(old.values_list("id", flat=True)[:RUNS_AT_ONCE]):
        with write_lock():
            removed += RecursionRun.objects.filter(id__in=ids).delete()[0]
    return removed
