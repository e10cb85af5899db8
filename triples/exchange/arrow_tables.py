"""Facts as Arrow tables, as Parquet and Arrow files have them."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from triples.exchange.fields import REQUIRED
from triples.exchange.formats.base import Batches, Part, Reading
from triples.exchange.lines import Refused, unreadable
from triples.exchange.records import Record
from triples.exchange.rendering import extras_of
from triples.exchange.tables import Layout, layout_of
from triples.query.export import StreamedFact

# The facts that are read or written together.
ROWS_AT_ONCE = 20_000


def schema(extras: Sequence[str]) -> pa.Schema:
    texts = [pa.field(name, pa.string(), nullable=False) for name in REQUIRED]
    others = [pa.field(name, pa.string()) for name in ("metadata", *extras)]
    return pa.schema([*texts, pa.field("weight", pa.float64(), nullable=False), *others])


def tables(batches: Batches, extras: Sequence[str]) -> Iterator[pa.Table]:
    """The facts of an export, in tables large enough to be compressed well."""
    of_facts = schema(extras)
    gathered: list[StreamedFact] = []
    for batch in batches:
        gathered += batch
        if len(gathered) >= ROWS_AT_ONCE:
            yield _table(gathered, of_facts, extras)
            gathered = []
    if gathered:
        yield _table(gathered, of_facts, extras)


def _table(facts: Sequence[StreamedFact], of_facts: pa.Schema, extras: Sequence[str]) -> pa.Table:
    rows = [(*fact[:3], fact.weight, fact.metadata, *extras_of(fact, extras)) for fact in facts]
    return pa.table(list(map(list, zip(*rows, strict=True))), schema=of_facts)


def parts_of_batches(
    batches: Iterator[pa.RecordBatch], names: Sequence[str], reading: Reading, done: int
) -> Iterator[Part]:
    """The facts of the rows after as many as are `done`. The number of a row stands for its line."""
    layout = layout_of(names, reading.options.table)
    number = 0
    try:
        for batch in batches:
            # Arrow believes what a damaged file says of its texts, and would read beyond their memory.
            batch.validate(full=True)
            for start in range(0, len(batch), min(ROWS_AT_ONCE, reading.most_lines())):
                rows = batch.slice(start, min(ROWS_AT_ONCE, reading.most_lines()))
                number += len(rows)
                if number > done:
                    records = _records(rows.slice(max(len(rows) - (number - done), 0)), layout, number)
                    yield Part(reading.maker.facts(records, reading.refuse), number, number)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(error) from error


def _records(rows: pa.RecordBatch, layout: Layout, last: int) -> list[Record]:
    columns = [list(map(_text, column.to_pylist())) for column in rows.columns]
    records: list[Record] = []
    for number, cells in enumerate(zip(*columns, strict=True), last - len(rows) + 1):
        try:
            records += [(number, fields) for fields in layout.fields(cells)]
        except Refused as reason:
            records.append((number, reason))
    return records


def _text(value: Any) -> str:
    """The value of a cell as the text that it would have in CSV. A missing value has none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
