"""Arrow's IPC files (Feather) and streams: a table with the columns of TSV and CSV."""

from collections.abc import Iterator
from io import BufferedReader

import pyarrow as pa
from pyarrow import ipc

from triples.exchange.arrow_tables import parts_of_batches, schema, tables
from triples.exchange.compressions import Writable
from triples.exchange.formats.base import PLAIN, Batches, Format, Part, Reading, Writing
from triples.exchange.lines import peek, unreadable
from triples.exchange.rdf.scanning import rereadable

_MAGIC = b"ARROW1"


class Arrow(Format):
    name = "arrow"
    title = "Arrow"
    endings = (".arrow", ".feather")
    media_type = "application/vnd.apache.arrow.file"
    is_table = True

    def begins(self, beginning: bytes) -> bool:
        return beginning.startswith(_MAGIC)

    def parts(self, stream: BufferedReader, reading: Reading, _number: int = 0, offset: int = 0) -> Iterator[Part]:
        """The facts after a number of rows."""
        is_file = peek(stream).startswith(_MAGIC)
        with rereadable(stream) as content:
            try:
                source = pa.PythonFile(content, "r")
                if is_file:
                    file = ipc.open_file(source)
                    batches = (file.get_batch(number) for number in range(file.num_record_batches))
                else:
                    file = batches = ipc.open_stream(source)
                # A name that is no UTF-8 shows itself only here.
                names = file.schema.names
            except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
                raise unreadable(error) from error
            yield from parts_of_batches(batches, names, reading, offset)

    def write(self, batches: Batches, file: Writable, writing: Writing = PLAIN) -> None:
        of_facts = schema(writing.extras)
        with ipc.new_file(pa.PythonFile(file, "w"), of_facts) as writer:
            for table in tables(batches, writing.extras):
                writer.write_table(table)


FORMAT = Arrow()
