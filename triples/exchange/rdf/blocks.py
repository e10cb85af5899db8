"""Blocks of lines of N-Triples: a fact, and right after it what is said of it, as exports have it.

A block is a fact, and if wanted a blank node that stands for it, by `rdf:reifies` or as an `rdf:Statement`, and what is
said of that node. A file of blocks in which no fact and no such node occurs twice says nothing of a fact elsewhere, so
that each block can be read for itself. This is known only at the end of the file. Until then, what was found is kept in
a temporary file.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from io import BufferedReader
from itertools import chain, islice, repeat
from operator import itemgetter
from tempfile import TemporaryFile
from typing import NamedTuple, Self, cast

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc
from pyoxigraph import RdfFormat, parse, serialize

from triples.exchange.lines import DAMAGED, skip_to
from triples.exchange.rdf.annotated import RDF, facts_first
from triples.exchange.rdf.block_columns import COLUMNS, BlockColumns, Columns, hashes_of
from triples.exchange.rdf.canonical import BLANK_NODE, IRI, LITERAL, NOT_NUMBERED, TERM
from triples.exchange.rdf.distinct import Hashes, are_distinct
from triples.exchange.rdf.options import METADATA, UNKEPT, RdfOptions
from triples.exchange.rdf.quads import UNCHECKED

_QUAD = itemgetter(0)
_SPAN_BYTES = 1 << 22
# A statement of which nothing is said yet has this many lines but one.
_MOST_LINES = 4
# The block, its fact and that one's terms, its graph, the node, the weight, the metadata, and what else is said.
# All but the block may be empty.
_Row = tuple[str, str, str, str, str, str, str, str, str, str]


class Span(NamedTuple):
    """Consecutive blocks. `end` is a place of bytes. Those that `have_columns` say weights and metadata, no more."""

    end: int
    lines: int
    have_columns: bool


class Blocks:
    """The blocks of a file."""

    def __init__(self, stream: BufferedReader, options: RdfOptions, *, numbered: bool, has_graphs: bool) -> None:
        """If `numbered`, no node without a label may be in a fact."""
        self._stream = stream
        has_graphs = has_graphs and not options.refuses_graphs
        self._columns = BlockColumns(options, numbered=numbered, has_graphs=has_graphs)
        self._compile = partial(_block, options, numbered=numbered, has_graphs=has_graphs)
        self._stack = ExitStack()
        self._spans: list[Span] = []

    def __enter__(self) -> Self:
        self._file = self._stack.enter_context(TemporaryFile())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def _block(self) -> "re.Pattern[str]":
        # To make it takes longer than to read a hundred thousand simple lines without it.
        return self._compile()

    def are_apart(self) -> bool:
        """True if the file has nothing but blocks, and nothing in one says anything of the fact of another."""
        with ExitStack() as stack:
            writer = stack.enter_context(ipc.new_stream(self._file, COLUMNS))
            facts, nodes, subjects = (stack.enter_context(Hashes()) for _ in range(3))
            try:
                for found, end, lines in self._found():
                    if found is not None:
                        facts.add_hashes(found.hashes)
                        nodes.add(found.nodes.to_pylist())
                        subjects.add(found.blank_subjects)
                        if found.is_simple:
                            writer.write_batch(found.batch)
                    self._spans.append(Span(end, lines, found is not None and found.is_simple))
            except (*DAMAGED, ValueError):
                return False
            return are_distinct(facts) and are_distinct(nodes, subjects)

    def __iter__(self) -> Iterator[tuple[Span, pa.RecordBatch | None]]:
        """The spans with their columns. The file has been found to be of blocks that are apart."""
        self._file.seek(0)
        with ipc.open_stream(self._file) as batches:
            for span in self._spans:
                yield span, batches.read_next_batch() if span.have_columns else None

    def content(self, start: int, end: int) -> bytes:
        skip_to(self._stream, start)
        return self._stream.read(end - start)

    def _found(self) -> Iterator[tuple[Columns | None, int, int]]:
        """The blocks, many at a time, where they end, and in how many lines. Raises ValueError for anything else."""
        before, read = b"", 0
        while content := self._stream.read(_SPAN_BYTES) + self._stream.readline():
            content = content if content.endswith(b"\n") else content + b"\n"
            read += len(content)
            content = before + content
            # What comes next may belong to the last one.
            found, size = self._columns_of(content, _start_of_last(content))
            if size:
                yield found, read - len(content) + size, content.count(b"\n", 0, size)
            before = content[size:]
        if before:
            found, size = self._columns_of(before, len(before))
            if size < len(before):
                raise ValueError("there is something else")
            yield found, read, before.count(b"\n")

    def _columns_of(self, content: bytes, size: int) -> tuple[Columns | None, int]:
        """The blocks of so many bytes, or fewer, and the size of these. None for lines without a fact."""
        if size and (found := self._columns.columns(content[:size])) is not None:
            return found, size
        is_all = size == len(content)
        text = content.decode()
        rows: list[_Row] = self._block.findall(text)
        rest = _rest(rows, text)
        if not is_all and rows:
            rest = rows.pop()[0] + rest
        return _columns(rows), len(content) - len(rest.encode())


def _rest(rows: Sequence[_Row], text: str) -> str:
    """The lines after these blocks: of one of which not all is there. Raises ValueError for anything else."""
    size = sum([len(row[0]) for row in rows])
    if size == len(text):
        return ""
    rest = text[size:]
    if rest.count("\n") > _MOST_LINES or not text.startswith("".join([row[0] for row in rows])):
        raise ValueError("there is something else")
    return rest


def _block(options: RdfOptions, *, numbered: bool, has_graphs: bool) -> "re.Pattern[str]":
    """The expression of a block, or of a line that says nothing."""
    weight = "|".join(re.escape(f"<{iri}>") for iri in options.weight_properties)
    unkept = "|".join(re.escape(f"<{iri}>") for iri in UNKEPT)
    metadata = re.escape(f"<{METADATA}>")
    said = f"{metadata}|{unkept}|{weight}"
    type_, statement, *parts = (
        re.escape(f"<{RDF}{name}>") for name in ("type", "Statement", "subject", "predicate", "object", "reifies")
    )
    kept = NOT_NUMBERED if numbered else ""
    no_fact = f"{said}|{'|'.join(parts)}|{type_} {statement} "
    fact = rf"(({kept}(?:{IRI}|{BLANK_NODE})) (?!{no_fact})({IRI}) ({kept}{TERM}))"
    graph = f"(?:{IRI} )?+" if has_graphs else ""
    statement_of = "".join(rf"\7 {part} \{group} \.\n" for part, group in zip(parts[:3], (3, 4, 5), strict=True))
    naming = rf"(?:{parts[3]} <<\( \2 \)>> \.\n|{type_} {statement} \.\n{statement_of})"
    saying = (
        rf"(?:\7 (?:{weight}) ({LITERAL}) \.\n)?+(?:\7 {metadata} ({LITERAL}) \.\n)?+"
        rf"(?:\7 (?:{unkept}) {TERM} \.\n)*+((?:\7 (?:{said}) {TERM} \.\n)*+)"
    )
    return re.compile(rf"^({fact} ({graph})\.\n(?:({BLANK_NODE}) {naming}{saying})?+|(?:#[^\n]*+)?+\n)", re.MULTILINE)


def _start_of_last(content: bytes) -> int:
    """The place where the last block begins, if it is simple; 0 if that is not seen."""
    end = len(content)
    for _ in range(_MOST_LINES):
        end = content.rfind(b"\n", 0, max(end - 1, 0)) + 1
        if not content.startswith(b"_:", end):
            return end
    return 0


def _columns(rows: Sequence[_Row]) -> Columns | None:
    if not (rows := [row for row in rows if row[1]]):
        return None
    _, _, *columns, rests = zip(*rows, strict=True)
    *terms, graphs, names, weights, metadata = (pa.array(column, pa.string()) for column in columns)
    batch = pa.record_batch([*terms, pc.utf8_rtrim(graphs, " "), weights, metadata], schema=COLUMNS)
    hashes = hashes_of(column.dictionary_encode() for column in terms)
    nodes = names.filter(pc.not_equal(names, ""))
    # A node of which nothing is said is a subject of facts.
    is_silent = any(row[6] and not row[7] and not row[8] for row in rows)
    blank = {row[2] for row in rows if row[2][0] == "_"}
    return Columns(batch, hashes, nodes, blank, is_simple=not is_silent and not any(rests))


@contextmanager
def as_lines(
    stream: BufferedReader, syntax: RdfFormat, base: str | None
) -> Iterator[tuple[BufferedReader, dict[str, str]] | None]:
    """The quads of a file as lines in a temporary file, and its prefixes; None if not all of it can be parsed."""
    with TemporaryFile() as copy:
        try:
            quads = parse(stream, syntax, base_iri=base, lenient=syntax in UNCHECKED)
            # The prefixes are known when the first quad is.
            first = list(islice(quads, 1))
            prefixes = dict(quads.prefixes)
            ordered = facts_first(zip(chain(first, quads), repeat(0), strict=False))
            serialize(map(_QUAD, ordered), copy, RdfFormat.N_QUADS)
        except (*DAMAGED, SyntaxError, ValueError):
            yield None
            return
        copy.seek(0)
        yield cast("BufferedReader", copy), prefixes
