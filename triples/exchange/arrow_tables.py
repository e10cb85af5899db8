"""Facts as Arrow tables, as Parquet and Arrow files have them."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from triples.exchange.fields import REQUIRED
from triples.exchange.formats.base import Batches, Part, Reading
from triples.exchange.lines import Refused, decoded, unreadable
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
    columns = map(_values, rows.columns)
    records: list[Record] = []
    for number, row in enumerate(zip(*columns, strict=True), last - len(rows) + 1):
        try:
            records += [(number, fields) for fields in layout.fields(tuple(map(_text, row)))]
        except Refused as reason:
            records.append((number, reason))
    return records


def _values(column: pa.Array) -> list[Any]:
    values = column.to_pylist()
    # Those of a map are lists of pairs: what is empty would be taken for a list.
    return [{} if value == [] else value for value in values] if pa.types.is_map(column.type) else values


def _text(value: Any) -> str:
    """The value of a cell as the text that it would have in CSV, nested ones as JSON. A missing value has none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(_with_objects(value), ensure_ascii=False, default=_text)
    return decoded(value) if isinstance(value, bytes) else str(value)


def _with_objects(value: Any) -> Any:
    """A nested value with the pairs of each map as an object, unless they name a key twice."""
    if isinstance(value, dict):
        return {name: _with_objects(member) for name, member in value.items()}
    if not isinstance(value, list):
        return value
    pairs = {_text(item[0]): _with_objects(item[1]) for item in value if isinstance(item, tuple)}
    return pairs if value and len(pairs) == len(value) else list(map(_with_objects, value))
