"""The source of an import from files and pipes, one after the other."""

import gc
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple

from triples.exchange.facts import FactMaker
from triples.exchange.formats.base import Reading, ReadOptions
from triples.exchange.graphs.nodes import Nodes
from triples.exchange.importing import Import, Piece
from triples.exchange.inputs import Found, opened
from triples.exchange.lines import InputError
from triples.exchange.rdf.options import PrefixStore
from triples.exchange.tables import BadBeginning


class Place(NamedTuple):
    """The place after a line: the input's number, the line's number, and the byte of the content at which it ends."""

    input: int = 0
    line: int = 0
    offset: int = 0


class FileSource:
    def __init__(self, found: Found, facts: FactMaker, options: ReadOptions, prefixes: PrefixStore) -> None:
        self._inputs, self._passed_over = found
        self._facts = facts
        self._options = options
        self._prefixes = prefixes
        self._nodes = Nodes()

    def total(self, _start: tuple[Any, ...]) -> int | None:
        """The bytes of all files."""
        return None if any(each.file is None for each in self._inputs) else sum(each.size for each in self._inputs)

    def has(self, _place: tuple[Any, ...]) -> bool:
        """True: a checkpoint of other files is not loaded."""
        return True

    def pieces(self, start: tuple[Any, ...], job: Import) -> Generator[Piece]:
        first = Place(*start)
        if not start:
            for sentence in self._passed_over:
                job.tell(sentence)
        self._check_beginnings(first.input + 1)
        self._prepare()
        with _uncollected():
            for number in range(first.input, len(self._inputs)):
                if number > first.input:
                    yield Piece((), Place(number), self._size_before(number), ends_chunk=True)
                yield from self._pieces_of(first if number == first.input else Place(number), job)

    def _pieces_of(self, start: Place, job: Import) -> Iterator[Piece]:
        """The facts of one input, piece by piece."""
        source, before, place = self._inputs[start.input], self._size_before(start.input), start
        refuse = partial(job.refuse, source.shown_name)
        reading = Reading(self._facts, refuse, lambda: job.chunk_size, self._options, self._prefixes, self._nodes)
        try:
            with opened(source) as content:
                for part in source.format.parts(content.stream, reading, start.line, start.offset):
                    place = Place(start.input, part.last_line, part.end)
                    yield Piece(part.facts, place, before + content.consumed())
        except InputError as error:
            after = f", after line {place.line:,}" if place.line else ""
            raise InputError(f"{source.shown_name}{after}: {error}") from error

    def _prepare(self) -> None:
        for source in self._inputs:
            if source.format.shares_nodes and source.file is not None:
                # Damage is reported when the import reaches it.
                with suppress(InputError), opened(source) as content:
                    source.format.prepare(content.stream, self._nodes)

    def _check_beginnings(self, first: int) -> None:
        """Check the headers of all files before any facts are stored."""
        for source in self._inputs[first:]:
            if source.file is None:
                continue
            try:
                with opened(source) as content:
                    source.format.check(content.stream, self._options)
            except BadBeginning as error:
                raise InputError(f"{source.shown_name}: {error}") from error
            except InputError:
                # Damage is reported when the import reaches it, after everything before it is stored.
                continue

    def _size_before(self, number: int) -> int:
        return sum(source.size for source in self._inputs[:number])


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pause the garbage collector: it would walk through hundreds of thousands of facts, which form no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
