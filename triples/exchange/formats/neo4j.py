"""Neo4j's CSV: files of nodes and of relationships, with headers such as `:START_ID`; an export is a zip of two."""

import csv
import io
import zipfile
from collections.abc import Iterator
from io import BufferedReader, BytesIO
from itertools import islice
from typing import BinaryIO, cast

from triples.exchange.compressions import Writable, zip_member
from triples.exchange.csv_rows import split_row
from triples.exchange.encodings import foreign_encoding
from triples.exchange.formats.base import PLAIN, Batches, Format, Part, Reading, ReadOptions, Writing
from triples.exchange.formats.records import part_of
from triples.exchange.graphs.neo4j import Column, NodeRows, Rows, columns_of, looks_like_neo4j, property_cells
from triples.exchange.graphs.nodes import Nodes, Seen
from triples.exchange.lines import InputError, Refused, lines, skip_to
from triples.exchange.records import Batch, Record
from triples.exchange.rendering import extras_of
from triples.exchange.samples import delimiter_of
from triples.exchange.table_rows import TableRow, table_rows
from triples.exchange.tables import BadBeginning

_ROWS_AT_ONCE = 250
_RELATIONSHIPS, _NODES = "relationships.csv", "nodes.csv"
_TERMS_AT_ONCE = 1_000


class Neo4j(Format):
    name = "neo4j"
    title = "Neo4j's CSV"
    endings = (".neo4j",)
    media_type = "application/zip"
    kind_of = "csv"
    shares_nodes = True
    is_archive = True

    def begins(self, beginning: bytes) -> bool:
        first = next((line.content for line in lines(BytesIO(beginning)) if line.content), b"").decode(errors="replace")
        try:
            return looks_like_neo4j(split_row(first, delimiter_of([first])))
        except Refused:
            return False

    def check(self, stream: BufferedReader, _options: ReadOptions, /) -> None:
        _begun(stream)

    def prepare(self, stream: BufferedReader, nodes: Nodes) -> None:
        found: list[tuple[str, str | None]] = []
        try:
            columns, delimiter, place = _begun(stream)
            if not any(column.type == "ID" for column in columns):
                return
            rows = NodeRows(Rows(columns, nodes), found.append)
            for _ in table_rows(lines(stream, *place), delimiter, rows):
                if len(found) >= _ROWS_AT_ONCE:
                    nodes.gather(found)
                    found.clear()
        except InputError:
            # It is reported when the facts before it have been read.
            pass
        nodes.gather(found)

    def parts(self, stream: BufferedReader, reading: Reading, number: int = 0, offset: int = 0) -> Iterator[Part]:
        columns, delimiter, place = _begun(stream)
        if offset:
            skip_to(stream, offset)
            place = (number, offset)
        rows = table_rows(lines(stream, *place), delimiter, Rows(columns, reading.nodes))
        while True:
            found: list[TableRow] = []
            fault: InputError | None = None
            try:
                found.extend(islice(rows, min(_ROWS_AT_ONCE, reading.most_lines())))
            except InputError as error:
                fault = error
            if found:
                records = [record for row in found for record in _records(row)]
                yield part_of(Batch(records, found[-1].last_line, found[-1].end), reading)
            if fault is not None:
                raise fault
            if not found:
                return

    def write(self, batches: Batches, file: Writable, writing: Writing = PLAIN) -> None:
        extras = writing.extras
        header = [":START_ID", ":TYPE", ":END_ID", "weight:double", "metadata:string", *property_cells(extras)]
        with Seen() as seen, zipfile.ZipFile(cast("BinaryIO", file), "w") as archive:
            with zip_member(archive, _RELATIONSHIPS) as member:
                member.write(_rows([header]))
                for batch in batches:
                    seen.new(dict.fromkeys(text for fact in batch for text in (fact.subject, fact.object)))
                    member.write(_rows([(*fact[:5], *extras_of(fact, extras)) for fact in batch]))
            with zip_member(archive, _NODES) as member:
                member.write(_rows([["name:ID"]]))
                texts = seen.all()
                while some := list(islice(texts, _TERMS_AT_ONCE)):
                    member.write(_rows([[text] for text in some]))


def _begun(stream: BufferedReader) -> tuple[list[Column], str, tuple[int, int]]:
    """The columns, the delimiter, and the place after the header. Raises BadBeginning."""
    first = next((line for line in lines(stream) if line.content != b""), None)
    if first is None:
        return [Column("", "IGNORE", "")], ",", (0, 0)
    if encoding := foreign_encoding(first.content or b""):
        raise BadBeginning(f"the text is {encoding}, not UTF-8; `iconv -f {encoding} -t UTF-8` makes UTF-8 of it")
    try:
        delimiter = delimiter_of([first.text])
        return columns_of(split_row(first.text, delimiter)), delimiter, (first.number, first.end)
    except Refused as refused:
        raise BadBeginning(f"the first line {refused}") from refused


def _records(row: TableRow) -> list[Record]:
    found = [row.facts] if isinstance(row.facts, Refused) else row.facts
    return [(row.first_line, fields) for fields in found]


def _rows(rows: object) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(cast("list[list[str]]", rows))
    return text.getvalue().encode()


FORMAT = Neo4j()
