"""The base of the formats of RDF."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from functools import partial
from io import BufferedReader
from itertools import chain
from typing import BinaryIO, ClassVar, cast

from pyoxigraph import RdfFormat, serialize

from triples.exchange.compressions import Writable
from triples.exchange.formats.base import PLAIN, Batches, Format, Part, Reading, Unwritable, Writing
from triples.exchange.lines import skip_to
from triples.exchange.rdf.blocks import Blocks, as_lines
from triples.exchange.rdf.fast import line_parts, quad_parts
from triples.exchange.rdf.feeding import LineFeed
from triples.exchange.rdf.reading import RdfReader, texts_of_file
from triples.exchange.rdf.reified_lines import ReifiedLines
from triples.exchange.rdf.scanning import Content, rereadable, scanned
from triples.exchange.rdf.turtle_lines import turtle_line_parts
from triples.exchange.rdf.writing import RdfWriting, Statement, Statements, Style, TurtleTerms, quads


class RdfFileFormat(Format):
    keeps_greatest = True
    syntax: ClassVar[RdfFormat]
    # A fact in each line, and nothing that a line before it declares.
    is_of_lines: ClassVar[bool] = False
    # What is said of a fact may stand right after it.
    has_annotations: ClassVar[bool] = False
    has_graphs: ClassVar[bool] = False

    def parts(self, stream: BufferedReader, reading: Reading, number: int = 0, offset: int = 0) -> Iterator[Part]:
        """The facts after a place. `offset` is a place of bytes where facts are lines, and else a number of quads."""
        with rereadable(stream) as content:
            found = scanned(content, reading.options.rdf, in_full=self.is_of_lines)
            if self.is_of_lines and not found.says_of_facts:
                skip_to(content, offset)
                yield from self._line_parts(content, reading, found, (number, offset))
            else:
                yield from self._quad_parts(content, reading, found, offset)

    def _line_parts(
        self, stream: BufferedReader, reading: Reading, found: Content, place: tuple[int, int]
    ) -> Iterator[Part]:
        def others(lines: BufferedReader, number: int, offset: int) -> Iterator[Part]:
            return RdfReader(LineFeed(lines, number, offset), self.syntax, found, reading, numbered=False).lines()

        yield from line_parts(stream, reading, texts_of_file(reading, found, {}, numbered=False), others, place)

    def _quad_parts(self, stream: BufferedReader, reading: Reading, found: Content, start: int) -> Iterator[Part]:
        is_ordinary = not found.says_of_facts or (self.has_annotations and not found.says_apart)
        if is_ordinary and not start and not reading.options.rdf.metadata:
            texts_of = partial(texts_of_file, reading, found, numbered=True)
            taken: int | None = 0
            if self.has_annotations:
                taken = yield from turtle_line_parts(stream, self.syntax, reading, texts_of)
                skip_to(stream, 0)
            if taken is not None:
                taken = yield from quad_parts(stream, self.syntax, reading, texts_of, taken)
                skip_to(stream, 0)
            if taken is None:
                return
            start = taken
        if found.says_of_facts and not is_ordinary and not reading.options.rdf.metadata:
            taken = yield from self._block_parts(stream, reading, found, start)
            skip_to(stream, 0)
            if taken is None:
                return
            start = taken
        reader = RdfReader(LineFeed(stream), self.syntax, found, reading, start=start, numbered=not self.is_of_lines)
        if not found.says_of_facts:
            yield from reader.plain()
        elif is_ordinary:
            yield from reader.annotated()
        else:
            yield from reader.apart()
        reader.check_end()

    def _block_parts(
        self, stream: BufferedReader, reading: Reading, found: Content, start: int
    ) -> Generator[Part, None, int | None]:
        """The parts of a file in which what is said of a fact stands right after it. Their ends are numbers of facts.

        Returns the number of facts that were taken, or None if these are all.
        """

        def others(lines: BufferedReader, number: int, stored: int) -> RdfReader:
            return RdfReader(LineFeed(lines, number), self.syntax, found, reading, start=stored, numbered=False)

        options, is_of_lines = reading.options.rdf, self.is_of_lines
        with ExitStack() as stack:
            lines, prefixes = stream, dict[str, str]()
            if not is_of_lines:
                copied = stack.enter_context(as_lines(stream, self.syntax, options.base))
                if copied is None:
                    return start
                lines, prefixes = copied
            blocks = stack.enter_context(Blocks(lines, options, numbered=not is_of_lines, has_graphs=self.has_graphs))
            if not blocks.are_apart():
                return start
            skip_to(lines, 0)
            texts = texts_of_file(reading, found, prefixes, numbered=not is_of_lines)
            # Of a copy, it is not known in which line of the file a fault is.
            reader = ReifiedLines(blocks, reading, texts, others if is_of_lines else None)
            return (yield from reader.parts(start))

    # How a fact is usually given its weight and metadata.
    usual_style: ClassVar[Style] = Style.ANNOTATIONS
    styles: ClassVar[tuple[Style, ...]] = (Style.ANNOTATIONS, Style.REIFICATION, Style.PLAIN)

    def write(self, batches: Batches, file: Writable, writing: Writing = PLAIN) -> None:
        style = writing.rdf.style or self.usual_style
        if style not in self.styles:
            raise Unwritable(
                f"{self.title} cannot give a fact its weight by {style}; it can by {', '.join(self.styles)}"
            )
        statements = Statements(writing.rdf, style, has_graphs=self.has_graphs)
        self.write_statements((list(map(statements.of, batch)) for batch in batches), file, writing.rdf, style)

    def write_statements(
        self, batches: Iterator[list[Statement]], file: Writable, writing: RdfWriting, style: Style
    ) -> None:
        raise NotImplementedError


class LineRdfFormat(RdfFileFormat):
    """N-Triples and N-Quads."""

    is_of_lines = True

    def write_statements(
        self, batches: Iterator[list[Statement]], file: Writable, writing: RdfWriting, style: Style
    ) -> None:
        count = 0
        for batch in batches:
            lines = [f"{quad} .\n" for quad in quads(batch, style, count)]
            count += len(batch)
            file.write("".join(lines).encode())


class TurtleRdfFormat(RdfFileFormat):
    """Turtle and TriG."""

    has_annotations = True

    def write_statements(
        self, batches: Iterator[list[Statement]], file: Writable, writing: RdfWriting, style: Style
    ) -> None:
        terms = TurtleTerms(writing.prefixes)
        file.write(terms.header().encode())
        count = 0
        for batch in batches:
            if style is Style.ANNOTATIONS:
                lines = map(terms.annotated, batch)
            else:
                lines = map(terms.of_quad, quads(batch, style, count))
            count += len(batch)
            file.write("".join(lines).encode())


class SerializedRdfFormat(RdfFileFormat):
    """RDF/XML and JSON-LD, which have no annotations of RDF 1.2."""

    usual_style = Style.REIFICATION
    styles: ClassVar[tuple[Style, ...]] = (Style.REIFICATION, Style.PLAIN)

    def write_statements(
        self, batches: Iterator[list[Statement]], file: Writable, writing: RdfWriting, style: Style
    ) -> None:
        found = quads(chain.from_iterable(batches), style)
        terms = found if self.has_graphs else (quad.triple for quad in found)
        output = cast("BinaryIO", file)
        try:
            serialize(terms, output, self.syntax, prefixes=dict(writing.prefixes.iris))
        except ValueError as error:
            raise Unwritable(f"{self.title} cannot carry it: {error}") from error
