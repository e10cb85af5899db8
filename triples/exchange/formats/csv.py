"""CSV by RFC 4180: a fact in each row, with a header or without."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedReader

from triples.exchange.csv_rows import csv_rows, single_row
from triples.exchange.fields import NAMES
from triples.exchange.formats.base import PLAIN, Part, Reading, Writing
from triples.exchange.formats.records import RecordFormat, part_of
from triples.exchange.headers import read_beginning
from triples.exchange.lines import Refused
from triples.exchange.records import Batch
from triples.query.export import StreamedFact

# Spreadsheets take a cell that begins with one of these for a formula (OWASP, "CSV Injection"). The last four are the
# full-width forms of East Asia.
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class CSV(RecordFormat):
    name = "csv"
    title = "CSV"
    endings = (".csv",)
    media_type = "text/csv"

    def cells(self, line: str) -> Sequence[str]:
        return single_row(line)

    def batches(
        self, stream: BufferedReader, number: int = 0, offset: int = 0, *, header: bool = True
    ) -> Iterator[Batch]:
        beginning = read_beginning(stream, self.cells, number, offset, header=header)
        for row in csv_rows(beginning.lines(stream), beginning.names):
            yield Batch([(row.first_line, row.fields)], row.last_line, row.end)

    def parts(self, stream: BufferedReader, reading: Reading, number: int = 0, offset: int = 0) -> Iterator[Part]:
        for batch in self.batches(stream, number, offset, header=reading.options.header):
            yield _row_part(batch, reading)

    def rendered(self, batches: Iterable[Sequence[StreamedFact]], writing: Writing = PLAIN) -> Iterator[bytes]:
        """A header, lines that end in CRLF, and the same number of columns in each."""
        yield f"{','.join(NAMES)}\r\n".encode()
        yield from map(_safe_rows if writing.safe_csv else _rows, batches)


def _row_part(batch: Batch, reading: Reading) -> Part:
    """A part of one record, which may have several lines. If it is refused, all of them are named."""
    if batch.records[0][0] == batch.last_line:
        return part_of(batch, reading)

    def refuse(line: int, reason: Refused) -> None:
        reading.refuse(line, Refused(f"{reason} (the row ends in line {batch.last_line:,})"))

    return Part(reading.maker.facts(batch.records, refuse), batch.last_line, batch.end)


def _rows(facts: Sequence[StreamedFact]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(facts)
    return text.getvalue().encode()


def _safe_rows(facts: Sequence[StreamedFact]) -> bytes:
    """Rows with all cells quoted, so that none is split at a delimiter that a spreadsheet's language prefers."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([*map(_text_cell, fact[:3]), *fact[3:]] for fact in facts)
    return text.getvalue().encode()


def _text_cell(term: str) -> str:
    return f"'{term}" if term.startswith(FORMULA_MARKS) else term


FORMAT = CSV()
