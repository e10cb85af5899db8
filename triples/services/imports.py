"""Use cases of imports: their rows, and the undo, which deletes what an import brought."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import structlog
from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from skg_site.host.write_lock import write_lock
from triples.detached_commands import start_detached
from triples.import_runs import ImportedRange, ImportRun, ImportStatus
from triples.models import Triple
from triples.query.deleting import BATCH
from triples.store.backend import backend
from triples.store.group_commit import write_now
from triples.store.operations import ManyRemoved, RemoveMany

# The oldest rows are removed when an import begins: otherwise a caller that imports often could fill the disk.
KEPT_IMPORTS = 10_000
REMOVED_AT_ONCE = 500
# An undo tells its progress whenever it has deleted this many facts.
NOTED_AT_ONCE = 20 * BATCH

# A process that takes no lock within this time after its import has begun or gone on has died.
START_PATIENCE = timedelta(seconds=60)
# What to do about an import whose process has died: one whose body came over HTTP, and others.
_DIED = "The process of the import ended before the import did, so nothing is being stored any more. "
_RESUME = "Send the same body again with `resume`."
_REPEAT = "Import the same again: what is stored already counts as duplicates."

# An undo that has said nothing for this long may have been killed, so that another may be started.
SILENCE = timedelta(seconds=15)

# What callers are told of a failure of the database, whose own words may name hosts and statements.
NO_DATABASE = "The database could not be reached, or was busy for too long."

# Is called with the number of facts deleted so far.
Report = Callable[[int], None]


log = structlog.get_logger("skg.exchange")


class ImportUndone(Exception):
    """The import has been undone, or is being undone, so it cannot be continued. The message is a sentence."""

    def __init__(self, run: ImportRun) -> None:
        super().__init__("The import has been undone, or is being undone.")
        self.run = run


def import_begin(
    *,
    source: str,
    format_name: str,
    requested_by: str,
    options: dict[str, Any],
    beginning: str = "",
    token: str | None = None,
) -> ImportRun:
    """Make the row of a new import, and remove the oldest beyond the number that is kept.

    `beginning` is that of a body of which nothing is known yet, or empty for what cannot be sent again. Raises
    IntegrityError if the same caller has an import with this token.
    """
    now: Any = timezone.now()
    with write_lock(), transaction.atomic():
        run = ImportRun.objects.create(
            source=source,
            format=format_name,
            requested_by=requested_by[:200],
            options=options,
            beginning=beginning,
            token=token,
            created_at=now,
            touched_at=now,
        )
        _prune(run.id - KEPT_IMPORTS)
        return run


def import_continue(*, run_id: int) -> ImportRun:
    """Take over an import, from which moment the process that had it can store nothing more.

    Raises ImportUndone, and ImportRun.DoesNotExist if the row has been removed meanwhile.
    """
    now: Any = timezone.now()
    with write_lock(), transaction.atomic():
        run = ImportRun.objects.select_for_update().get(id=run_id)
        if run.status in {ImportStatus.UNDOING, ImportStatus.UNDONE}:
            raise ImportUndone(run)
        if run.status != ImportStatus.FINISHED:
            run.status, run.error, run.finished_at = ImportStatus.RUNNING, "", None
        run.attempt += 1
        run.touched_at = now
        run.save(update_fields=["status", "error", "finished_at", "attempt", "touched_at"])
    return run


def import_close(*, run: ImportRun, error: str, is_final: bool = False) -> None:
    """Record that the process of an import has ended before the import did, unless the process has said so itself.

    If `is_final`, the same content would always end so, and is not to be sent again.
    """
    now = timezone.now()
    with write_lock():
        ImportRun.objects.filter(id=run.id, attempt=run.attempt, status=ImportStatus.RUNNING).update(
            status=ImportStatus.BROKEN, error=error, finished_at=now, **({"beginning": ""} if is_final else {})
        )


def import_working(*, run_id: int) -> AbstractContextManager[None]:
    """Hold the lock by which others see that a process works on the import."""
    return backend().locks.import_lock(run_id)


def imports_close_dead(*, runs: Iterable[ImportRun]) -> None:
    """Close those of these imports that are said to run, although no process works on them any more.

    Where the database does not store that, at least the rows in memory tell it.
    """
    latest = timezone.now() - START_PATIENCE
    for run in runs:
        if run.status == ImportStatus.RUNNING and run.touched_at < latest and not _is_at_work(run):
            error = _DIED + (_RESUME if run.beginning else _REPEAT)
            try:
                import_close(run=run, error=error)
                # It may have been continued meanwhile.
                run.refresh_from_db()
            except AnyDatabaseError:
                run.status, run.error = ImportStatus.BROKEN, error
            log.warning("import_died", run=run.id, status=run.status)


def _is_at_work(run: ImportRun) -> bool:
    try:
        return backend().locks.is_import_locked(run.id)
    except (OSError, AnyDatabaseError):
        # It cannot be told.
        return True


def import_undo_begin(*, run_id: int) -> ImportRun:
    """Mark an import as being undone; from then on it can store nothing more. One that is undone stays as it is."""
    with write_lock(), transaction.atomic():
        run = ImportRun.objects.select_for_update().get(id=run_id)
        _mark_undoing(run)
    return run


def import_undo_start(*, run_id: int) -> ImportRun:
    """Mark an import as being undone, and start a process that does it, unless one has just begun or told its progress.

    So a client that asks again and again starts no more of them. One that is undone stays as it is.
    """
    now: Any = timezone.now()
    with write_lock(), transaction.atomic():
        run = ImportRun.objects.select_for_update().get(id=run_id)
        is_at_work = run.status == ImportStatus.UNDOING and run.touched_at > now - SILENCE
        starts = run.status != ImportStatus.UNDONE and not is_at_work
        if starts:
            _mark_undoing(run)
            run.touched_at = now
            run.save(update_fields=["touched_at"])
    if starts:
        start_detached(["imports", "undo", str(run.id), "--yes"])
    return run


def _mark_undoing(run: ImportRun) -> None:
    """For the caller's transaction, which has locked the row."""
    if run.status not in {ImportStatus.UNDOING, ImportStatus.UNDONE}:
        run.status = ImportStatus.UNDOING
        run.attempt += 1
        run.save(update_fields=["status", "attempt"])


def import_undo_now(*, run_id: int, report: Report) -> ImportRun:
    """Delete the facts that an import brought and that are still there, in this thread. Returns the row.

    Others can write between the batches. If it is interrupted, the next call continues.
    """
    run = import_undo_begin(run_id=run_id)
    if run.status == ImportStatus.UNDONE:
        return run
    undone = _Undone(run)
    try:
        while (part := ImportedRange.objects.filter(run_id=run_id).order_by("-first").first()) is not None:
            while ids := _ids(part):
                undone.add(_delete(ids))
                report(undone.facts)
            with write_lock():
                part.delete()
    finally:
        undone.note()
    with write_lock():
        ImportRun.objects.filter(id=run_id).update(status=ImportStatus.UNDONE, finished_at=timezone.now())
    return ImportRun.objects.get(id=run_id)


class _Undone:
    """The number of facts that an undo has deleted, which is noted in the row now and then.

    Two processes may undo the same import, so each adds what it has deleted.
    """

    def __init__(self, run: ImportRun) -> None:
        self.facts = run.undone
        self._run_id = run.id
        self._unnoted = 0

    def add(self, facts: int) -> None:
        self.facts += facts
        self._unnoted += facts
        if self._unnoted >= NOTED_AT_ONCE:
            self.note()

    def note(self) -> None:
        with write_lock():
            ImportRun.objects.filter(id=self._run_id).update(
                undone=F("undone") + self._unnoted, touched_at=timezone.now()
            )
        self._unnoted = 0


def _ids(part: ImportedRange) -> list[int]:
    """Some facts of a range that are still there."""
    found = Triple.objects.filter(id__range=(part.first, part.last)).order_by("-id")
    return list(found.values_list("id", flat=True)[:BATCH])


def _delete(ids: list[int]) -> int:
    [outcome] = write_now([RemoveMany(ids)])
    assert isinstance(outcome, ManyRemoved)
    return outcome.removed


def _prune(up_to: int) -> None:
    """Forget the oldest imports, some at a time; their facts stay. For the caller's transaction."""
    old = ImportRun.objects.filter(id__lte=up_to).order_by("id").values_list("id", flat=True)[:REMOVED_AT_ONCE]
    if ids := list(old):
        ImportRun.objects.filter(id__in=ids).delete()
