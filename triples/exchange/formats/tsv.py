"""TSV: a fact in each line, its columns separated by tabs. Nothing is quoted, since no term has a tab or a line end."""

from collections.abc import Iterator, Sequence
from functools import partial
from io import BufferedReader

from triples.exchange.fields import NAMES, REQUIRED, Fields, fields_of_columns
from triples.exchange.formats.base import AS_IS, PLAIN, Batches, Part, Reading, ReadOptions, Writing
from triples.exchange.formats.records import RecordFormat, layout_batches, line_batches, part_of
from triples.exchange.headers import looks_like_names
from triples.exchange.lines import Line, Span
from triples.exchange.plain_tsv import plain_facts
from triples.exchange.records import Bare, Batch
from triples.exchange.rendering import extras_of, with_mark_kept
from triples.exchange.tables import Layout
from triples.query.export import StreamedFact

# For fewer lines, columns are no faster.
FEWEST_LINES = 200


class TSV(RecordFormat):
    name = "tsv"
    title = "TSV"
    endings = (".tsv",)
    media_type = "text/tab-separated-values"
    is_table = True

    def cells(self, line: str) -> Sequence[str]:
        return line.split("\t")

    def batches(
        self, stream: BufferedReader, number: int = 0, offset: int = 0, options: ReadOptions = AS_IS
    ) -> Iterator[Batch]:
        beginning = self.beginning(stream, options, number, offset)
        for piece in beginning.spans(stream):
            yield from _batches(piece, beginning.layout)

    def parts(self, stream: BufferedReader, reading: Reading, number: int = 0, offset: int = 0) -> Iterator[Part]:
        beginning = self.beginning(stream, reading.options, number, offset)
        layout = beginning.layout
        is_plain = layout is None or layout.names is not None
        for piece in beginning.spans(stream):
            plain = _plain_part(piece, reading, beginning.names) if is_plain and isinstance(piece, Span) else None
            if plain is not None:
                yield plain
            else:
                for batch in _batches(piece, layout):
                    yield part_of(batch, reading)

    def rendered(self, batches: Batches, writing: Writing = PLAIN) -> Iterator[bytes]:
        if writing.extras:
            yield "\t".join((*NAMES, *writing.extras)).encode() + b"\n"
            yield from (_content_with(batch, writing.extras) for batch in batches)
            return
        parts = filter(None, map(_content, batches))
        yield from with_mark_kept(_begun_with_a_fact(parts))


def _plain_part(span: Span, reading: Reading, names: Sequence[str] | None) -> Part | None:
    if not FEWEST_LINES <= span.last - span.first < reading.most_lines():
        return None
    facts = plain_facts(span.content, reading.maker, names)
    return None if facts is None else Part(facts, span.last, span.end)


def _batches(part: Span | Line, layout: Layout | None) -> Iterator[Batch]:
    if layout is None:
        return line_batches(part, _fields)
    if (names := layout.names) is not None:
        return line_batches(part, partial(_named_fields, names))
    return layout_batches(part, partial(_layout_fields, layout))


def _fields(text: str) -> Fields | Bare:
    columns = text.split("\t")
    return columns if len(columns) == len(REQUIRED) else fields_of_columns(columns)


def _named_fields(names: Sequence[str], text: str) -> Fields:
    columns = text.split("\t")
    return fields_of_columns(columns, _names_of(columns, names))


def _names_of(columns: Sequence[str], names: Sequence[str]) -> Sequence[str]:
    """The names of these columns. A line may leave out empty columns at its end, as exports do."""
    shorter = names[: len(columns)]
    return shorter if set(REQUIRED) <= set(shorter) else names


def _layout_fields(layout: Layout, text: str) -> Sequence[Fields]:
    columns = text.split("\t")
    needed = max(layout.places[name] for name in REQUIRED if name in layout.places)
    missing = layout.width - len(columns) if len(columns) > needed else 0
    return layout.fields(columns + [""] * missing)


def _content(facts: Sequence[StreamedFact]) -> bytes:
    return "".join([_line(*fact[:5]) for fact in facts]).encode()


def _content_with(facts: Sequence[StreamedFact], extras: Sequence[str]) -> bytes:
    """Lines of all columns, as their header names them."""
    rows = ((*fact[:3], repr(fact.weight), fact.metadata, *extras_of(fact, extras)) for fact in facts)
    return "".join("\t".join("" if cell is None else cell for cell in row) + "\n" for row in rows).encode()


def _line(subject: str, predicate: str, object_: str, weight: float, metadata: str | None) -> str:
    """A line, without the empty columns at its end."""
    if metadata is not None:
        return f"{subject}\t{predicate}\t{object_}\t{weight!r}\t{metadata}\n"
    if weight != 1:
        return f"{subject}\t{predicate}\t{object_}\t{weight!r}\n"
    return f"{subject}\t{predicate}\t{object_}\n"


def _begun_with_a_fact(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The lines. If an import would take the first one for column names, it gets a weight, which prevents that."""
    if (content := next(parts, None)) is None:
        return
    line, end, rest = content.partition(b"\n")
    cells = line.decode().split("\t")
    is_like_names = len(cells) == len(REQUIRED) and looks_like_names(cells)
    yield b"%b\t1.0%b%b" % (line, end, rest) if is_like_names else content
    yield from parts


FORMAT = TSV()
