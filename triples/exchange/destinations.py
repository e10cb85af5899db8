"""Where a migration brings facts: this service's own graph, or nowhere. Another service is in `service.py`."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from triples.legacy.progress import Landmark
from triples.metrics import added_by
from triples.models import Source
from triples.store.bulk import Landmark as NewestFact
from triples.store.bulk import Loaded, Loader, is_stored, newest_fact
from triples.store.operations import Fact


class Brought(NamedTuple):
    """What became of some facts; `refused` are the places of those that the destination does not take, and why."""

    loaded: Loaded
    refused: Sequence[tuple[int, str]] = ()


class Destination(Protocol):
    @property
    def chunk_size(self) -> int:
        """How many facts it takes best at once."""

    def wait(self) -> None:
        """Until it may be given more."""

    def bring(self, facts: Sequence[Fact]) -> Brought | None:
        """Store facts; None where it is to be tried again after `wait`."""

    def landmark(self) -> Landmark | None:
        """For `keeps`; None where there is nothing to know it by."""

    def keeps(self, landmark: Landmark) -> bool:
        """Whether it still has what it was given until the landmark was made."""


class OwnGraph:
    def __init__(self, *, replace: bool, dry_run: bool) -> None:
        self._loader = Loader(replace=replace)
        self._dry_run = dry_run

    @property
    def chunk_size(self) -> int:
        return self._loader.chunk_size

    def wait(self) -> None:
        """The loader gives way to others by itself."""

    def bring(self, facts: Sequence[Fact]) -> Brought:
        if self._dry_run:
            new = self._loader.count_new(facts)
            return Brought(Loaded(new, 0, len(facts) - new))
        loaded = self._loader.load(facts)
        added_by(Source.IMPORT).inc(loaded.inserted)
        return Brought(loaded)

    def landmark(self) -> list[int] | None:
        newest = newest_fact()
        return None if newest is None else list(newest)

    def keeps(self, landmark: Landmark) -> bool:
        id_, created_ms = map(int, landmark)
        return is_stored(NewestFact(id_, created_ms))


class Nowhere:
    """For a dry run: what another service has already cannot be told without asking it for each fact."""

    chunk_size = 1_000

    def wait(self) -> None:
        """It takes everything."""

    def bring(self, facts: Sequence[Fact]) -> Brought:
        return Brought(Loaded(len(facts), 0, 0))

    def landmark(self) -> None:
        """There is nothing to come back to."""

    def keeps(self, _landmark: Landmark) -> bool:
        return False
