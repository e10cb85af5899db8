"""Destinations of an import: this service's graph, or none for a dry run. `remote_service` has another service."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from triples.metrics import added_by
from triples.models import Source
from triples.store.bulk import Loaded, Loader, Record, Watermark, is_stored, newest_fact
from triples.store.operations import Fact


class DestinationError(Exception):
    """The destination takes no more facts. The message is a sentence."""


class Stored(NamedTuple):
    """Counts of stored facts. `refused` has the index of each fact that the destination refused, and the reason."""

    counts: Loaded
    refused: Sequence[tuple[int, str]] = ()


NOTHING = Stored(Loaded(0, 0, 0))


class Destination(ABC):
    @property
    @abstractmethod
    def chunk_size(self) -> int:
        """The best number of facts to store together."""

    @abstractmethod
    def store(self, facts: Sequence[Fact]) -> Stored | None:
        """Store facts. None if the caller must try again after `pause`."""

    @property
    def pause(self) -> float:
        """The seconds to wait before the next `store`."""
        return 0.0

    def watermark(self) -> tuple[Any, ...] | None:
        """A mark of what is stored now, for a later call of `keeps`; or None."""
        return None

    def keeps(self, _watermark: tuple[Any, ...], /) -> bool:
        """True if everything that was stored when the watermark was taken is still there."""
        return False


class OwnGraph(Destination):
    def __init__(self, *, replace: bool, dry_run: bool) -> None:
        self._loader = Loader(replace=replace)
        self._dry_run = dry_run
        # The row of the import; None before it is known, and in a dry run.
        self.run_id: int | None = None

    def keep_greatest(self) -> None:
        """Store the heaviest of several statements of a fact."""
        self._loader.greatest = True

    def record(self, run_id: int, record: Record) -> None:
        """Have `record` called in each transaction that stores facts of the import with this row."""
        self.run_id = run_id
        self._loader.record = record

    @property
    def began(self) -> Watermark | None:
        return self._loader.began

    @began.setter
    def began(self, began: Watermark | None) -> None:
        self._loader.began = began

    @property
    def chunk_size(self) -> int:
        return self._loader.chunk_size

    def store(self, facts: Sequence[Fact]) -> Stored:
        if self._dry_run:
            new = self._loader.count_new(facts)
            return Stored(Loaded(new, 0, len(facts) - new))
        loaded = self._loader.load(facts)
        added_by(Source.IMPORT).inc(loaded.inserted)
        return Stored(loaded)

    def watermark(self) -> tuple[int, ...] | None:
        newest = newest_fact()
        return None if newest is None else (*newest, self.run_id or 0, *(self._loader.began or ()))

    def keeps(self, watermark: tuple[Any, ...], /) -> bool:
        if len(watermark) not in {3, 5}:
            # The checkpoint is of a version that kept no rows of imports.
            return False
        id_, created_ms, run_id, *began = watermark
        is_kept = is_stored(Watermark(id_, created_ms))
        if is_kept and began:
            # Facts of the earlier run are facts of this one.
            self._loader.began = Watermark(*began)
        if is_kept:
            self.run_id = run_id
        return is_kept


class Nowhere(Destination):
    """The destination of a dry run for another service, which is not asked which facts it has."""

    chunk_size = 1_000

    def store(self, facts: Sequence[Fact]) -> Stored:
        return Stored(Loaded(len(facts), 0, 0))
