"""Parser of records in each format: fields of facts, or reasons why there are none."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import BufferedReader
from typing import NamedTuple

from triples.exchange.csv_rows import csv_rows
from triples.exchange.fields import REQUIRED, Fields, fields_of_columns, fields_of_json
from triples.exchange.formats import Format
from triples.exchange.headers import read_beginning
from triples.exchange.lines import Block, Line, Refused, Span, blocks, text_of

# Lines with only subject, predicate and object have a fast path: most files have only those.
Bare = list[str]


# The number of the record's first line, and the fields of its fact, or the reason why it has none.
Record = tuple[int, Fields | Bare | Refused]


class Batch(NamedTuple):
    """Consecutive records. `end` is the place after them, at the end of line `last_line`."""

    records: Sequence[Record]
    last_line: int
    end: int


def batches(
    stream: BufferedReader, format_: Format, number: int = 0, offset: int = 0, *, header: bool = True
) -> Iterator[Batch]:
    """The records of a stream after line `number`, which ends at `offset`. Empty lines are skipped."""
    beginning = read_beginning(stream, format_, number, offset, header=header)
    if format_ is Format.CSV:
        for row in csv_rows(beginning.lines(stream), beginning.names):
            yield Batch([(row.first_line, row.fields)], row.last_line, row.end)
        return
    for part in beginning.spans(stream):
        yield from tsv_batches(part, beginning.names) if format_ is Format.TSV else _batches(part, _ndjson_fields)


def tsv_batches(part: Span | Line, names: Sequence[str] | None) -> Iterator[Batch]:
    return _batches(part, _tsv_fields if names is None else partial(_named_tsv_fields, names))


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


def _named_tsv_fields(names: Sequence[str], text: str) -> Fields:
    columns = text.split("\t")
    return fields_of_columns(columns, names_of(columns, names))


def names_of(columns: Sequence[str], names: Sequence[str]) -> Sequence[str]:
    """The names of these columns of TSV. A line may leave out empty columns at its end, as exports do."""
    shorter = names[: len(columns)]
    return shorter if set(REQUIRED) <= set(shorter) else names


def _ndjson_fields(text: str) -> Fields:
    return fields_of_json(text.encode())
