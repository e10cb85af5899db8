"""The base of the formats that have a fact, or more, in each line or row."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader

from triples.exchange.compressions import Writable
from triples.exchange.fields import Fields
from triples.exchange.formats.base import AS_IS, PLAIN, Batches, Format, Part, Reading, ReadOptions, Writing
from triples.exchange.headers import Beginning, read_beginning
from triples.exchange.lines import Block, Line, Refused, Span, blocks, text_of
from triples.exchange.records import Bare, Batch, Record


class RecordFormat(Format):
    is_streamed = True

    def cells(self, _line: str, /) -> Sequence[str]:
        """The cells of a line that may be a header; none if the format has no headers. Raises Refused."""
        return []

    def check(self, stream: BufferedReader, options: ReadOptions, /) -> None:
        self.beginning(stream, options)

    def beginning(self, stream: BufferedReader, options: ReadOptions, number: int = 0, offset: int = 0) -> Beginning:
        return read_beginning(stream, self.cells, number, offset, header=options.header, table=options.table)

    @abstractmethod
    def batches(
        self, stream: BufferedReader, number: int = 0, offset: int = 0, options: ReadOptions = AS_IS
    ) -> Iterator[Batch]:
        """The records after line `number`, which ends at `offset`. Empty lines are skipped."""

    @abstractmethod
    def rendered(self, batches: Batches, writing: Writing = PLAIN) -> Iterator[bytes]:
        """The content of a file with these facts, in parts."""

    def write(self, batches: Batches, file: Writable, writing: Writing = PLAIN) -> None:
        for part in self.rendered(batches, writing):
            file.write(part)

    def parts(self, stream: BufferedReader, reading: Reading, number: int = 0, offset: int = 0) -> Iterator[Part]:
        for batch in self.batches(stream, number, offset, reading.options):
            yield part_of(batch, reading)


def part_of(batch: Batch, reading: Reading) -> Part:
    return Part(reading.maker.facts(batch.records, reading.refuse), batch.last_line, batch.end)


def line_batches(part: Span | Line, parse: Callable[[str], Fields | Bare]) -> Iterator[Batch]:
    """The records of lines of which each is one."""
    for block in blocks(part):
        yield Batch(_records(block, parse), block.first + len(block.contents) - 1, block.end)


def layout_batches(part: Span | Line, parse: Callable[[str], Sequence[Fields]]) -> Iterator[Batch]:
    """The records of lines of which each may be several."""
    for block in blocks(part):
        records: list[Record] = []
        for number, content in enumerate(block.contents, block.first):
            try:
                if content != b"":
                    records += [(number, fields) for fields in parse(text_of(content))]
            except Refused as refused:
                records.append((number, refused))
        yield Batch(records, block.first + len(block.contents) - 1, block.end)


def _records(block: Block, parse: Callable[[str], Fields | Bare]) -> list[Record]:
    records: list[Record] = []
    for number, content in enumerate(block.contents, block.first):
        try:
            if content != b"":
                records.append((number, parse(text_of(content))))
        except Refused as refused:
            records.append((number, refused))
    return records
