"""Parquet: a table with the columns of TSV and CSV."""

from collections.abc import Iterator
from io import BufferedReader

import pyarrow as pa
from pyarrow import parquet

from triples.exchange.arrow_tables import ROWS_AT_ONCE, parts_of_batches, schema, tables
from triples.exchange.compressions import Writable
from triples.exchange.formats.base import PLAIN, Batches, Format, Part, Reading, Writing
from triples.exchange.lines import unreadable
from triples.exchange.rdf.scanning import rereadable


class Parquet(Format):
    name = "parquet"
    title = "Parquet"
    endings = (".parquet",)
    media_type = "application/vnd.apache.parquet"
    is_table = True

    def begins(self, beginning: bytes) -> bool:
        return beginning.startswith(b"PAR1")

    def parts(self, stream: BufferedReader, reading: Reading, _number: int = 0, offset: int = 0) -> Iterator[Part]:
        """The facts after a number of rows."""
        with rereadable(stream) as content:
            try:
                file = parquet.ParquetFile(pa.PythonFile(content, "r"))
                batches = file.iter_batches(ROWS_AT_ONCE)
                names = file.schema_arrow.names
            except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
                raise unreadable(error) from error
            yield from parts_of_batches(batches, names, reading, offset)

    def write(self, batches: Batches, file: Writable, writing: Writing = PLAIN) -> None:
        sink = pa.PythonFile(file, "w")
        with parquet.ParquetWriter(sink, schema(writing.extras), compression="zstd") as writer:
            for table in tables(batches, writing.extras):
                writer.write_table(table)


FORMAT = Parquet()
