"""Imports: lines become facts, facts become chunks, and each chunk is committed before the next is begun."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from skg_site.cli.interrupts import Interrupts
from triples.exchange.checkpoints import Checkpoint, CheckpointFile, Counts, Place
from triples.exchange.facts import FactMaker
from triples.exchange.headers import BadBeginning, read_beginning
from triples.exchange.inputs import Input, Opened, opened
from triples.exchange.lines import InputError, Refused
from triples.exchange.parts import Reader
from triples.exchange.progress import FactProgress
from triples.exchange.refusals import Refusals
from triples.metrics import added_by
from triples.models import Source
from triples.store.bulk import Loaded, Loader, is_stored, newest_fact
from triples.store.columns import joined
from triples.store.operations import Fact

# A chunk ends after so many lines even where few of them are facts, so that the checkpoint moves on.
MAX_CHUNK_LINES = 20_000


class StrictStop(Exception):
    """A line was refused, and the import is one that stops there."""


@dataclass(frozen=True, slots=True)
class Options:
    strict: bool
    replace: bool
    dry_run: bool
    header: bool = True


def find_start(checkpoints: CheckpointFile) -> Checkpoint | None:
    """Where an earlier run of the same import came to, if the database has kept what that stored."""
    checkpoint = checkpoints.load()
    return checkpoint if checkpoint is not None and is_stored(checkpoint.landmark) else None


class Import:
    def __init__(
        self,
        inputs: Sequence[Input],
        options: Options,
        *,
        facts: FactMaker,
        screen: FactProgress,
        refusals: Refusals,
        checkpoints: CheckpointFile | None,
        start: Checkpoint | None,
    ) -> None:
        """`checkpoints` is None for what cannot be continued, such as a pipe; `start` is where to continue."""
        self._inputs = inputs
        self.options = options
        self._facts = facts
        self._screen = screen
        self._refusals = refusals
        self._checkpoints = checkpoints
        self._interrupts = Interrupts()
        self._loader = Loader(replace=options.replace)
        self._chunk: list[Sequence[Fact]] = []
        self._gathered = self._refused = 0
        # What is committed, by earlier runs of the same import too, and what they had counted of it.
        self.counts = Counts() if start is None else start.counts
        self.earlier = replace(self.counts)
        self._start = Place() if start is None else start.place

    def run(self) -> None:
        """Import everything.

        Raises StrictStop, InputError, Interrupted, OSError and Django's database errors; then `counts` has what
        was committed before, and the same import goes on behind it.
        """
        with self._interrupts.caught(), _uncollected():
            if self.options.header:
                self._check_beginnings()
            for number in range(self._start.input, len(self._inputs)):
                self._import(number, self._start if number == self._start.input else Place(number))
            if self._checkpoints is not None:
                self._checkpoints.remove()

    def _import(self, number: int, start: Place) -> None:
        source = self._inputs[number]
        place = start
        reader = Reader(
            self._facts,
            partial(self._refuse, source),
            lambda: self._loader.chunk_size,
            header=self.options.header,
        )
        with opened(source) as content:
            try:
                for part in reader.parts(content.stream, source.format, start.line, start.offset):
                    place = Place(number, part.last_line, part.end)
                    self._chunk.append(part.facts)
                    self._gathered += len(part.facts)
                    if self._chunk_is_full:
                        self._commit(place)
                    self._show(number, content)
            except InputError as error:
                # What could be read is stored, however large the chunk was to become.
                self._commit(place)
                told = f", behind line {place.line:,}" if place.line else ""
                raise InputError(f"{source.shown_name}{told}: {error}") from error
        self._commit(Place(number + 1))

    def _check_beginnings(self) -> None:
        """Find a header that is not understood before any of the files is stored."""
        for source in self._inputs[self._start.input + 1 :]:
            if source.file is None:
                continue
            with opened(source) as content:
                try:
                    read_beginning(content.stream, source.format)
                except BadBeginning as error:
                    raise InputError(f"{source.shown_name}: {error}") from error
                except InputError:
                    # Damage is told where it is reached, after what can be read.
                    continue

    def _refuse(self, source: Input, line: int, reason: Refused) -> None:
        self._refused += 1
        self._refusals.report(source.shown_name, line, str(reason))
        if self.options.strict:
            raise StrictStop

    @property
    def _chunk_is_full(self) -> bool:
        size = self._loader.chunk_size
        return self._gathered >= size or self._gathered + self._refused >= max(size, MAX_CHUNK_LINES)

    def _commit(self, place: Place) -> None:
        """Commit the chunk, which ends at `place`, and note that."""
        with self._interrupts.put_off():
            loaded = self._store() if self._gathered else Loaded(0, 0, 0)
            counts = self.counts
            counts.read += self._gathered + self._refused
            counts.inserted += loaded.inserted
            counts.updated += loaded.updated
            counts.duplicates += loaded.duplicates
            counts.refused += self._refused
            self._chunk, self._gathered, self._refused = [], 0, 0
            if self._checkpoints is not None and place.input < len(self._inputs):
                landmark = newest_fact()
                if landmark is not None:
                    self._checkpoints.save(Checkpoint(place, counts, landmark))

    def _store(self) -> Loaded:
        facts = joined(self._chunk)
        if self.options.dry_run:
            new = self._loader.count_new(facts)
            return Loaded(new, 0, len(facts) - new)
        loaded = self._loader.load(facts)
        added_by(Source.IMPORT).inc(loaded.inserted)
        return loaded

    def _show(self, number: int, content: Opened) -> None:
        before = sum(source.size for source in self._inputs[:number])
        self._screen.show(before + content.consumed(), self.counts.read - self.earlier.read)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Spare the garbage collector from walking through hundreds of thousands of facts, which are part of no cycle."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
