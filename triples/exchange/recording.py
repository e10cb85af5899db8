"""The row of an import, as the process that reads it writes it."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

from django.db import Error as AnyDatabaseError
from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone

from skg_site.host.write_lock import write_lock
from triples.exchange.checkpoints import Counts
from triples.exchange.destinations import DestinationError, OwnGraph
from triples.exchange.framed_body import FramedBody
from triples.exchange.refusals import SHOWN
from triples.import_runs import ImportedRange, ImportRun, ImportStatus
from triples.store.bulk import Loaded, Watermark
from triples.store.sessions import IdRange

# How often a process looks whether the import is still its own.
LOOK_SECONDS = 5.0


class Superseded(DestinationError):
    """Another process has taken the import over, or undoes it."""

    def __init__(self) -> None:
        super().__init__("The import was continued elsewhere, or undone, so this process stores no more of it.")


class Recording:
    def __init__(self, run: ImportRun, graph: OwnGraph) -> None:
        self.run_id = run.id
        self._attempt = run.attempt
        self._refused = list(run.first_refused)
        self._graph = graph
        # Of an import over HTTP, by which its beginning is known again.
        self.body: FramedBody | None = None
        graph.record(run.id, self.store)
        if run.began is not None:
            graph.began = Watermark(*run.began)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """For the main thread: tell it to stop, as SIGTERM does, when the import is not this process's any more.

        A small compressed file may hold terabytes of nothing, in which there is no chunk to be stored.
        """
        over = Event()

        def watch() -> None:
            while not over.wait(LOOK_SECONDS):
                with suppress(AnyDatabaseError):
                    if not self._mine.exists():
                        os.kill(os.getpid(), signal.SIGTERM)
                        break
            connection.close()

        watcher = Thread(target=watch, name="import-watch", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def store(self, ids: Sequence[IdRange], loaded: Loaded) -> None:
        """Record new facts, in their own transaction. Raises Superseded."""
        self._update(inserted=F("inserted") + loaded.inserted, updated=F("updated") + loaded.updated)
        ranges = merged(ids)
        if not ranges:
            return
        newest = ImportedRange.objects.filter(run_id=self.run_id).order_by("-first").first()
        if newest is not None and newest.last + 1 == ranges[0].first:
            newest.last = ranges.pop(0).last
            newest.save(update_fields=["last"])
        ImportedRange.objects.bulk_create([ImportedRange(run_id=self.run_id, first=a, last=b) for a, b in ranges])

    def read(self, place: tuple[Any, ...], counts: Counts, refused: Sequence[str]) -> None:
        """Record that everything before a place is stored. Raises Superseded."""
        with write_lock():
            self._update(
                read=counts.read,
                refused=counts.refused,
                first_refused=self._first(refused),
                place=list(place),
                began=self._graph.began,
                **({} if self.body is None else {"beginning": str(self.body.beginning)}),
            )

    def look(self) -> None:
        """Raise Superseded if this process may store nothing more."""
        if not self._mine.exists():
            raise Superseded

    def end(self, error: str | None, refused: Sequence[str] = (), *, is_final: bool = False) -> None:
        """Record the end, and the first refused lines, of which some may be in no chunk that was stored.

        If `is_final`, the same content would always end so, and is not to be sent again. If the database cannot do that
        either, the row stays as if the process had been killed.
        """
        status = ImportStatus.FINISHED if error is None else ImportStatus.BROKEN
        with suppress(AnyDatabaseError, Superseded), write_lock():
            self._update(
                status=status,
                error=error or "",
                first_refused=self._first(refused),
                finished_at=timezone.now(),
                **({"beginning": ""} if is_final else {}),
            )

    def _first(self, refused: Sequence[str]) -> list[str]:
        return [*self._refused, *refused][:SHOWN]

    def _update(self, **columns: Any) -> None:
        if not self._mine.update(touched_at=timezone.now(), **columns):
            raise Superseded

    @property
    def _mine(self) -> QuerySet[ImportRun]:
        """The row, if it is still that of this process."""
        return ImportRun.objects.filter(id=self.run_id, attempt=self._attempt, status=ImportStatus.RUNNING)


def merged(ids: Sequence[IdRange]) -> list[IdRange]:
    """The same ranges, sorted as they are, with those joined that follow each other."""
    found: list[IdRange] = []
    for first, last in ids:
        if found and found[-1].last + 1 == first:
            found[-1] = IdRange(found[-1].first, last)
        else:
            found.append(IdRange(first, last))
    return found
