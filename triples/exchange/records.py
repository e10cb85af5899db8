"""Lines as facts in each of the formats, or why they are none."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

from triples.exchange.csv_rows import csv_rows, header_names
from triples.exchange.fields import Fields, fields_of_columns, fields_of_json
from triples.exchange.formats import Format
from triples.exchange.lines import Line, Refused, lines, skip_to


class Record(NamedTuple):
    """What these lines hold: a fact's fields, or why there are none; `end` is the place behind them."""

    first_line: int
    last_line: int
    end: int
    fields: Fields | Refused


def records(stream: BinaryIO, format_: Format, number: int = 0, offset: int = 0) -> Iterator[Record]:
    """The records of a stream behind its line `number`, which ends at `offset`. Empty lines are none."""
    if format_ is Format.CSV:
        return _csv_records(stream, number, offset)
    if offset:
        skip_to(stream, offset)
    return _line_records(lines(stream, number, offset), _tsv_fields if format_ is Format.TSV else _ndjson_fields)


def _line_records(found: Iterator[Line], parse: Callable[[str], Fields]) -> Iterator[Record]:
    for line in found:
        if line.content == b"":
            continue
        try:
            yield Record(line.number, line.number, line.end, parse(line.text))
        except Refused as refused:
            yield Record(line.number, line.number, line.end, refused)


def _tsv_fields(text: str) -> Fields:
    return fields_of_columns(text.split("\t"))


def _ndjson_fields(text: str) -> Fields:
    return fields_of_json(text.encode())


def _csv_records(stream: BinaryIO, number: int, offset: int) -> Iterator[Record]:
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
        try:
            fields = row.columns if isinstance(row.columns, Refused) else fields_of_columns(row.columns, names)
            yield Record(*row[:3], fields)
        except Refused as refused:
            yield Record(*row[:3], refused)
