"""The import loop: it gathers the facts of a source into chunks, and stores each chunk before it reads the next."""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from time import sleep
from typing import Any, NamedTuple, Protocol

from skg_site.cli.interrupts import Interrupts
from triples.exchange.checkpoints import Checkpoint, CheckpointFile, Counts
from triples.exchange.destinations import NOTHING, Destination, Stored
from triples.exchange.lines import InputError, Refused
from triples.exchange.progress import FactProgress
from triples.exchange.refusals import Refusals
from triples.store.fact_columns import characters, joined
from triples.store.operations import Fact
from triples.visible import visible

# A chunk ends after this many records even if few of them are facts, so that the checkpoint advances.
MAX_CHUNK_RECORDS = 20_000
# It ends as well when the texts of its facts have this many characters: a term may have ten thousand of them.
MAX_CHUNK_CHARACTERS = 1 << 26
# If more than half of this many records at the beginning are refused, the import stops.
FIRST_RECORDS = 1_000


class StrictStop(Exception):
    """A record was refused, and the import is strict, so it stops there."""


class MostRefused(Exception):
    """Most of the first records were refused, so the input is most likely not what the import takes it for."""


class Piece(NamedTuple):
    """Facts that were read together. `place` is where the source continues after them."""

    facts: Sequence[Fact]
    place: tuple[Any, ...]
    # The amount of the source's total, for the progress bar.
    done: int
    # The name and number of each fact's record; needed if a destination may refuse facts.
    origins: Sequence[tuple[str, int]] = ()
    # If True, the chunk is stored now, however small it is.
    ends_chunk: bool = False


class Journal(Protocol):
    """A listener that is told how far an import has come."""

    def read(self, place: tuple[Any, ...], counts: Counts, refused: Sequence[str], /) -> None:
        """Everything before the place is stored. `refused` are the first refused lines of this process."""


class Source(Protocol):
    """The input of an import: files, or a database. Its first place is the empty tuple."""

    def total(self, start: tuple[Any, ...]) -> int | None:
        """The amount to read from a place on, if it is known."""

    def has(self, place: tuple[Any, ...]) -> bool:
        """True if the content before the place is unchanged."""

    def pieces(self, start: tuple[Any, ...], job: "Import") -> Generator[Piece]:
        """All facts after a place. Records that are no facts are given to `job.refuse`. Raises InputError."""


def find_start(checkpoints: CheckpointFile, source: Source, destination: Destination) -> Checkpoint | None:
    """The checkpoint of an earlier run of the same import, if source and destination still match it."""
    found = checkpoints.load()
    return found if found is not None and source.has(found.place) and destination.keeps(found.watermark) else None


class Import:
    """One import. `counts` has all that is stored, and `earlier` the part from earlier runs."""

    def __init__(
        self,
        source: Source,
        destination: Destination,
        *,
        progress: FactProgress,
        refusals: Refusals,
        strict: bool = False,
        checkpoints: CheckpointFile | None,
        start: Checkpoint | None,
    ) -> None:
        """`checkpoints` is None if the import cannot be continued, as from a pipe. `start` is where to continue."""
        self._source = source
        self._destination = destination
        self._progress = progress
        self._refusals = refusals
        self._strict = strict
        self.checkpoints = checkpoints
        self.journal: Journal | None = None
        self._interrupts = Interrupts()
        self._chunk: list[Sequence[Fact]] = []
        self._origins: list[tuple[str, int]] = []
        self._gathered = self._refused = self._characters = 0
        self._reasons: Counter[str] = Counter()
        self._is_beginning = start is None
        self.counts = Counts() if start is None else start.counts
        self.earlier = replace(self.counts)
        self._place: tuple[Any, ...] = () if start is None else start.place

    def run(self) -> None:
        """Import everything.

        Raises StrictStop, MostRefused, InputError, DestinationError, Interrupted, OSError and Django's database errors.
        Then `counts` has what was stored before, and the same import continues after it.
        """
        with self._interrupts.caught():
            self._progress.expect(self._source.total(self._place))
            try:
                with closing(self._source.pieces(self._place, self)) as pieces:
                    for piece in pieces:
                        self._gather(piece)
            except InputError:
                # The facts read so far are stored, even if the chunk is not full.
                self._commit()
                raise
            self._commit()
            if self.checkpoints is not None:
                self.checkpoints.remove()

    @property
    def first_refused(self) -> Sequence[str]:
        return self._refusals.first

    @property
    def chunk_size(self) -> int:
        return self._destination.chunk_size

    @property
    def room(self) -> int:
        """The number of facts that still fit into the chunk; at least one."""
        return max(1, self.chunk_size - self._gathered)

    def refuse(self, name: str, number: int, reason: Refused | str) -> None:
        self._refused += 1
        if self._is_beginning:
            self._reasons[str(reason)] += 1
        self._refusals.report(name, number, str(reason))
        if self._strict:
            raise StrictStop

    def tell(self, sentence: str) -> None:
        """Report what is left out and has no line, among the refused lines."""
        self._refusals.tell(sentence)

    def _gather(self, piece: Piece) -> None:
        self._chunk.append(piece.facts)
        self._origins += piece.origins
        self._gathered += len(piece.facts)
        self._characters += characters(piece.facts)
        self._place = piece.place
        if self._is_beginning:
            self._check_beginning()
        size = self.chunk_size
        is_full = self._gathered >= size or self._gathered + self._refused >= max(size, MAX_CHUNK_RECORDS)
        if is_full or piece.ends_chunk or self._characters >= MAX_CHUNK_CHARACTERS:
            self._commit()
        self._progress.show(piece.done, self.counts.read - self.earlier.read)

    def _check_beginning(self) -> None:
        read = self.counts.read + self._gathered + self._refused
        if read < FIRST_RECORDS:
            return
        self._is_beginning = False
        refused = self._reasons.total()
        if 2 * refused > read:
            [(reason, times)] = self._reasons.most_common(1)
            raise MostRefused(
                f"Stopped: {refused:,} of the first {read:,} lines were refused, {times:,} of them with the reason "
                f"'{visible(reason)}'. Are the format and the columns what they should be? Nothing after the facts "
                "that are counted is stored"
            )

    def _commit(self) -> None:
        """Store the chunk, and record the place after it."""
        stored: Stored | None = None
        while stored is None:
            if self._gathered and (seconds := self._destination.pause) > 0:
                sleep(seconds)
            with self._interrupts.put_off():
                stored = self._destination.store(joined(self._chunk)) if self._gathered else NOTHING
                if stored is not None:
                    self._count(stored)

    def _count(self, stored: Stored) -> None:
        counts = self.counts
        counts.read += self._gathered + self._refused
        for position, reason in stored.refused:
            self.refuse(*self._origins[position], reason)
        counts.inserted += stored.counts.inserted
        counts.updated += stored.counts.updated
        counts.duplicates += stored.counts.duplicates
        counts.refused += self._refused
        self._chunk, self._origins, self._gathered, self._refused, self._characters = [], [], 0, 0, 0
        if self.journal is not None:
            self.journal.read(self._place, counts, self._refusals.first)
        if self.checkpoints is not None and (watermark := self._destination.watermark()) is not None:
            self.checkpoints.save(Checkpoint(self._place, counts, watermark))
