"""Migrations: rows of the old database become facts, and each chunk of them is stored before the next is begun."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from skg_site.cli.interrupts import Interrupts
from triples.exchange.checkpoints import Counts
from triples.exchange.facts import FactMaker
from triples.exchange.lines import Refused
from triples.exchange.progress import FactProgress
from triples.exchange.refusals import Refusals
from triples.legacy.database import LegacyDatabase, Place, Row
from triples.legacy.destinations import Brought, Destination
from triples.legacy.progress import Progress, ProgressFile
from triples.legacy.rows import records
from triples.store.bulk import Loaded
from triples.store.operations import Fact

# A chunk ends after so many rows even where few of them are facts, so that the progress is noted.
MAX_CHUNK_ROWS = 20_000
NOTHING = Brought(Loaded(0, 0, 0))


class Shown(NamedTuple):
    """Where a migration tells how it goes."""

    screen: FactProgress
    refusals: Refusals


def find_start(progress: ProgressFile, database: LegacyDatabase, destination: Destination) -> Progress | None:
    """Where an earlier run came to, if both databases still are what they were."""
    found = progress.load()
    is_known = found is not None and database.holds(found.place) and destination.keeps(found.landmark)
    return found if is_known else None


class Migration:
    def __init__(
        self,
        database: LegacyDatabase,
        destination: Destination,
        shown: Shown,
        *,
        facts: FactMaker,
        mark: bool,
        progress: ProgressFile | None,
        start: Progress | None,
    ) -> None:
        """`progress` is None for what need not be continued; `start` is where to continue."""
        self._database = database
        self._destination = destination
        self._screen, self._refusals = shown
        self._facts = facts
        self._mark = mark
        self._progress = progress
        self._interrupts = Interrupts()
        self._chunk: list[Fact] = []
        self._numbers: list[int] = []
        self._refused = 0
        # What is stored, by earlier runs of the same migration too, and what they had counted of it.
        self.counts = Counts() if start is None else start.counts
        self.earlier = replace(self.counts)
        self._place = Place() if start is None else start.place

    def run(self) -> None:
        """Migrate everything.

        Raises LegacyError, ServiceError, Interrupted, OSError and Django's database errors; then `counts` has what
        was stored before, and the same migration goes on behind it.
        """
        with self._interrupts.caught():
            self._screen.expect(self._database.count())
            for page in self._database.pages(self._place):
                self._take(page)
            self._commit()
            if self._progress is not None:
                self._progress.remove()

    def _take(self, rows: Sequence[Row]) -> None:
        """Add the rows to chunks, and store those that are full."""
        done = 0
        while done < len(rows):
            part = rows[done : done + max(1, self._destination.chunk_size - len(self._chunk))]
            done += len(part)
            for record in records(part, mark=self._mark):
                made = self._facts.facts([record], self._refuse)
                self._chunk += made
                self._numbers += [record[0]] * len(made)
            self._place = Place.behind(part[-1])
            if self._chunk_is_full:
                self._commit()

    def _refuse(self, row: int, reason: Refused | str) -> None:
        self._refused += 1
        self._refusals.report("row", row, str(reason))

    @property
    def _chunk_is_full(self) -> bool:
        facts, size = len(self._chunk), self._destination.chunk_size
        return facts >= size or facts + self._refused >= max(size, MAX_CHUNK_ROWS)

    def _commit(self) -> None:
        """Store the chunk, which ends at the place, and note that."""
        while not self._is_committed():
            pass
        self._screen.show(self.counts.read, self.counts.read - self.earlier.read)

    def _is_committed(self) -> bool:
        if self._chunk:
            self._destination.wait()
        with self._interrupts.put_off():
            brought = self._destination.bring(self._chunk) if self._chunk else NOTHING
            if brought is not None:
                self._count(brought)
        return brought is not None

    def _count(self, brought: Brought) -> None:
        counts = self.counts
        counts.read += len(self._chunk) + self._refused
        for place, reason in brought.refused:
            self._refuse(self._numbers[place], reason)
        counts.inserted += brought.loaded.inserted
        counts.updated += brought.loaded.updated
        counts.duplicates += brought.loaded.duplicates
        counts.refused += self._refused
        self._chunk, self._numbers, self._refused = [], [], 0
        if self._progress is not None and (landmark := self._destination.landmark()) is not None:
            self._progress.save(Progress(self._place, counts, landmark))
