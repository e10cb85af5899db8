"""CSV by RFC 4180: a fact in each row, with a header or without."""

import csv
import io
from collections.abc import Iterator, Sequence
from functools import partial
from io import BufferedReader

from triples.exchange.csv_rows import csv_rows, split_row
from triples.exchange.fields import NAMES
from triples.exchange.formats.base import AS_IS, PLAIN, Batches, Part, Reading, ReadOptions, Writing
from triples.exchange.formats.records import RecordFormat, part_of
from triples.exchange.headers import Beginning, read_beginning
from triples.exchange.lines import Refused, peek
from triples.exchange.records import Batch
from triples.exchange.rendering import extras_of
from triples.exchange.samples import delimiter_of
from triples.exchange.table_rows import table_rows
from triples.query.export import StreamedFact

# Spreadsheets take a cell that begins with one of these for a formula (OWASP, "CSV Injection"). The last four are the
# full-width forms of East Asia.
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# The first bytes from which the delimiter is guessed.
_LOOKED_AT = 1 << 14


class CSV(RecordFormat):
    name = "csv"
    title = "CSV"
    endings = (".csv",)
    media_type = "text/csv"
    is_table = True

    def cells(self, line: str) -> Sequence[str]:
        return split_row(line)

    def beginning(self, stream: BufferedReader, options: ReadOptions, number: int = 0, offset: int = 0) -> Beginning:
        return self._begun(stream, options, number, offset)[0]

    def batches(
        self, stream: BufferedReader, number: int = 0, offset: int = 0, options: ReadOptions = AS_IS
    ) -> Iterator[Batch]:
        beginning, delimiter = self._begun(stream, options, number, offset)
        layout, lines = beginning.layout, beginning.lines(stream)
        if delimiter == "," and (layout is None or layout.names is not None):
            for row in csv_rows(lines, beginning.names):
                yield Batch([(row.first_line, row.fields)], row.last_line, row.end)
            return
        for each in table_rows(lines, delimiter, layout):
            found = [each.facts] if isinstance(each.facts, Refused) else each.facts
            yield Batch([(each.first_line, fields) for fields in found], each.last_line, each.end)

    def _begun(self, stream: BufferedReader, options: ReadOptions, number: int, offset: int) -> tuple[Beginning, str]:
        """The beginning, and the delimiter."""
        delimiter = options.table.delimiter or _delimiter_at(peek(stream))
        cells = partial(split_row, delimiter=delimiter)
        return (
            read_beginning(stream, cells, number, offset, header=options.header, table=options.table),
            delimiter,
        )

    def parts(self, stream: BufferedReader, reading: Reading, number: int = 0, offset: int = 0) -> Iterator[Part]:
        for batch in self.batches(stream, number, offset, reading.options):
            yield _row_part(batch, reading)

    def rendered(self, batches: Batches, writing: Writing = PLAIN) -> Iterator[bytes]:
        """A header, lines that end in CRLF, and the same number of columns in each."""
        yield f"{','.join((*NAMES, *writing.extras))}\r\n".encode()
        rows = _safe_rows if writing.safe_csv else _rows
        yield from (rows(batch, writing.extras) for batch in batches)


def _row_part(batch: Batch, reading: Reading) -> Part:
    """A part of one row, which may have several lines. If it is refused, all of them are named."""
    if not batch.records or batch.records[0][0] == batch.last_line:
        return part_of(batch, reading)

    def refuse(line: int, reason: Refused) -> None:
        reading.refuse(line, Refused(f"{reason} (the row ends in line {batch.last_line:,})"))

    return Part(reading.maker.facts(batch.records, refuse), batch.last_line, batch.end)


def _delimiter_at(beginning: bytes) -> str:
    return delimiter_of(beginning[:_LOOKED_AT].decode(errors="replace").splitlines())


def _rows(facts: Sequence[StreamedFact], extras: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows((*fact[:5], *extras_of(fact, extras)) if extras else fact[:5] for fact in facts)
    return text.getvalue().encode()


def _safe_rows(facts: Sequence[StreamedFact], extras: Sequence[str]) -> bytes:
    """Rows with all cells quoted, so that none is split at a delimiter that a spreadsheet's language prefers."""
    text = io.StringIO()
    rows = ([*map(_text_cell, fact[:3]), *fact[3:5], *extras_of(fact, extras)] for fact in facts)
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


def _text_cell(term: str) -> str:
    return f"'{term}" if term.startswith(FORMULA_MARKS) else term


FORMAT = CSV()
