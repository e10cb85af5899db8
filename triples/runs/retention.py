"""Removal of the rows of old runs."""

from datetime import datetime

from skg_site.host.write_lock import write_lock
from triples.models import RecursionRun

RUNS_AT_ONCE = 500
# The oldest rows are removed when a run is queued: otherwise a caller that starts runs could fill the disk.
KEPT_RUNS = 1000


def prune_runs() -> None:
    """Remove what is too much, in the caller's transaction."""
    older = RecursionRun.objects.values_list("id", flat=True)[KEPT_RUNS : KEPT_RUNS + RUNS_AT_ONCE]
    if ids := list(older):
        RecursionRun.objects.filter(active=None, id__in=ids).delete()


def remove_old_runs(before: datetime, *, dry: bool) -> int:
    """The number of ended runs that were removed, or would be if `dry`.

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
