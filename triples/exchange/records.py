"""Lines as facts in each of the formats, or why they are none."""

from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from itertools import chain
from typing import NamedTuple

from triples.exchange.csv_rows import csv_rows, header_names
from triples.exchange.fields import REQUIRED, Fields, fields_of_columns, fields_of_json
from triples.exchange.formats import Format
from triples.exchange.lines import Block, Line, Refused, Span, blocks, lines, skip_to, spans, text_of

# Subject, predicate and object, where there is nothing else: most files hold nothing else.
Bare = list[str]


# The line that it begins in, and the fields of a fact that it holds, or why it holds none.
Record = tuple[int, Fields | Bare | Refused]


class Batch(NamedTuple):
    """Records that follow on each other; `end` is the place behind them, in which line `last_line` ends."""

    records: Sequence[Record]
    last_line: int
    end: int


def batches(stream: BufferedReader, format_: Format, number: int = 0, offset: int = 0) -> Iterator[Batch]:
    """The records of a stream behind its line `number`, which ends at `offset`. Empty lines are none."""
    if format_ is Format.CSV:
        yield from _csv_batches(stream, number, offset)
        return
    if offset:
        skip_to(stream, offset)
    batches_of = tsv_batches if format_ is Format.TSV else _ndjson_batches
    for part in spans(stream, number, offset):
        yield from batches_of(part)


def tsv_batches(part: Span | Line) -> Iterator[Batch]:
    return _batches(part, _tsv_fields)


def _ndjson_batches(part: Span | Line) -> Iterator[Batch]:
    return _batches(part, _ndjson_fields)


def _batches(part: Span | Line, parse: Callable[[str], Fields | Bare]) -> Iterator[Batch]:
    for block in blocks(part):
        yield Batch(_records(block, parse), block.first + len(block.contents) - 1, block.end)


def _records(block: Block, parse: Callable[[str], Fields | Bare]) -> list[Record]:
    records: list[Record] = []
    for number, content in enumerate(block.contents, block.first):
        try:
            if content != b"":
                records.append((number, parse(text_of(content))))
        except Refused as refused:
            records.append((number, refused))
    return records


def _tsv_fields(text: str) -> Fields | Bare:
    columns = text.split("\t")
    return columns if len(columns) == len(REQUIRED) else fields_of_columns(columns)


def _ndjson_fields(text: str) -> Fields:
    return fields_of_json(text.encode())


def _csv_batches(stream: BufferedReader, number: int, offset: int) -> Iterator[Batch]:
    rows = csv_rows(lines(stream))
    first = next(rows, None)
    if first is None:
        return
    names = header_names(first.columns)
    if offset:
        # The beginning was read again for its header alone.
        skip_to(stream, offset)
        rows = csv_rows(lines(stream, number, offset))
    elif names is None:
        rows = chain([first], rows)
    for row in rows:
        fields: Fields | Refused
        try:
            fields = row.columns if isinstance(row.columns, Refused) else fields_of_columns(row.columns, names)
        except Refused as refused:
            fields = refused
        yield Batch([(row.first_line, fields)], row.last_line, row.end)
