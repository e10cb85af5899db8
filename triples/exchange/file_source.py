"""Files and pipes as the source of an import, one after the other."""

import gc
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from triples.exchange.facts import FactMaker
from triples.exchange.headers import BadBeginning, read_beginning
from triples.exchange.importing import Import, Piece
from triples.exchange.inputs import Input, opened
from triples.exchange.lines import InputError
from triples.exchange.parts import Reader


class Place(NamedTuple):
    """After line `line` of the input with this number; the line ends at byte `offset` of the content."""

    input: int = 0
    line: int = 0
    offset: int = 0


class FileSource:
    def __init__(self, inputs: Sequence[Input], facts: FactMaker, *, header: bool) -> None:
        """Without `header`, the first line holds a fact whatever it looks like."""
        self._inputs = inputs
        self._facts = facts
        self._header = header

    def total(self, _start: tuple[Any, ...]) -> int | None:
        """Bytes of all files."""
        return None if any(each.file is None for each in self._inputs) else sum(each.size for each in self._inputs)

    def has(self, _place: tuple[Any, ...]) -> bool:
        """A checkpoint of other files is not loaded."""
        return True

    def pieces(self, start: tuple[Any, ...], job: Import) -> Generator[Piece]:
        first = Place(*start)
        if self._header:
            self._check_beginnings(first.input + 1)
        with _uncollected():
            for number in range(first.input, len(self._inputs)):
                if number > first.input:
                    yield Piece((), Place(number), self._size_before(number), ends_chunk=True)
                yield from self._pieces_of(first if number == first.input else Place(number), job)

    def _pieces_of(self, start: Place, job: Import) -> Iterator[Piece]:
        """The facts of one input."""
        source, before, place = self._inputs[start.input], self._size_before(start.input), start
        refuse = partial(job.refuse, source.shown_name)
        reader = Reader(self._facts, refuse, lambda: job.chunk_size, header=self._header)
        with opened(source) as content:
            try:
                for part in reader.parts(content.stream, source.format, start.line, start.offset):
                    place = Place(start.input, part.last_line, part.end)
                    yield Piece(part.facts, place, before + content.consumed())
            except InputError as error:
                after = f", after line {place.line:,}" if place.line else ""
                raise InputError(f"{source.shown_name}{after}: {error}") from error

    def _check_beginnings(self, first: int) -> None:
        """Find a header that is not understood before any of the files is stored."""
        for source in self._inputs[first:]:
            if source.file is None:
                continue
            with opened(source) as content:
                try:
                    read_beginning(content.stream, source.format)
                except BadBeginning as error:
                    raise InputError(f"{source.shown_name}: {error}") from error
                except InputError:
                    # Damage is reported once it is reached, after all that can be read.
                    continue

    def _size_before(self, number: int) -> int:
        return sum(source.size for source in self._inputs[:number])


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
