"""Conversion of database rows to batches of Arrow columns, and back for PostgreSQL's COPY."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice
from typing import Any

import pyarrow as pa
from pyarrow import csv

# With many more, Python's garbage collector keeps the rows beyond its first pass, and reading takes twice as long.
ROWS_AT_ONCE = 2_000

ASSERTED = pa.schema(
    [
        pa.field("subject", pa.int64(), nullable=False),
        pa.field("predicate", pa.int64(), nullable=False),
        pa.field("object", pa.int64(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
    ]
)
# Derived facts, as the engine returns them and `contents` reads them. `rule` is the number of a rule in the state's
# program, `free1` the first free value of the proof, `free_rest` a JSON array of the others.
DERIVED = pa.schema(
    [
        pa.field("subject", pa.int64(), nullable=False),
        pa.field("predicate", pa.int64(), nullable=False),
        pa.field("object", pa.int64(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
        pa.field("depth", pa.int32(), nullable=False),
        pa.field("rule", pa.int32(), nullable=False),
        pa.field("free1", pa.int64()),
        pa.field("free_rest", pa.string()),
    ]
)


def from_cursor(cursor: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The remaining rows of an SQLite cursor."""
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        columns = zip(zip(*rows, strict=True), schema.types, strict=True)
        yield pa.RecordBatch.from_arrays([pa.array(values, type_) for values, type_ in columns], schema=schema)


def from_copy(copy: Iterable[bytes | bytearray | memoryview], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of PostgreSQL's COPY TO STDOUT (FORMAT csv). Arrow parses the text, which is faster than Python."""
    lines = iter(copy)
    read = csv.ReadOptions(column_names=schema.names)
    convert = csv.ConvertOptions(column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False)
    while text := b"".join(islice(lines, ROWS_AT_ONCE)):
        table = csv.read_csv(BytesIO(text), read_options=read, convert_options=convert)
        yield from table.cast(schema).to_batches()


def to_copy(batches: Iterable[pa.RecordBatch]) -> Iterator[memoryview]:
    """The text for COPY FROM STDIN (FORMAT csv)."""
    options = csv.WriteOptions(include_header=False)
    for batch in batches:
        for start in range(0, batch.num_rows, ROWS_AT_ONCE):
            text = BytesIO()
            csv.write_csv(batch.slice(start, ROWS_AT_ONCE), text, options)
            yield text.getbuffer()
