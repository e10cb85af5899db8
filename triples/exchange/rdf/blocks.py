"""Blocks of lines of N-Triples: a fact, and right after it what is said of it, as exports have it.

A block is a fact, and if wanted a blank node that stands for it, by `rdf:reifies` or as an `rdf:Statement`, and what is
said of that node. A file of blocks in which no fact and no such node occurs twice says nothing of a fact elsewhere, so
that each block can be read for itself. This is known only at the end of the file. Until then, what was found is kept in
a temporary file.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from itertools import chain, islice, repeat
from operator import itemgetter
from tempfile import TemporaryFile
from typing import NamedTuple, Self, cast

import pyarrow as pa
from pyarrow import ipc
from pyoxigraph import RdfFormat, parse, serialize

from triples.exchange.lines import DAMAGED, skip_to
from triples.exchange.rdf.annotated import RDF, facts_first
from triples.exchange.rdf.distinct import Hashes, are_distinct
from triples.exchange.rdf.options import METADATA, UNKEPT, RdfOptions
from triples.exchange.rdf.quads import UNCHECKED

_QUAD = itemgetter(0)
_SPAN_BYTES = 1 << 22
# A statement of which nothing is said yet has this many lines but one.
_MOST_LINES = 4
# Terms that cannot be written in any other way, so that the same fact is the same text.
_IRI = r'<[^\x00-\x20<>"{}|^`\\]*+>'
_BLANK_NODE = r"_:[A-Za-z0-9_][A-Za-z0-9_.-]*+(?<!\.)"
# A node that the parser has named is known by its number in the file, which a block does not tell.
_NUMBERED = r"(?!_:[a-f][0-9a-f]{19,31} )"
_CHARS = r'[^"\\\x00-\x1f\x7f]*+'
_LITERAL = (
    rf'"{_CHARS}(?:\\[tbnrf"\\]{_CHARS})*+"'
    rf"(?:@[a-z]++(?:-[a-z0-9]++)*+|\^\^(?!<http://www\.w3\.org/2001/XMLSchema#string>){_IRI})?+"
)
_TERM = rf"(?:{_IRI}|{_LITERAL}|{_BLANK_NODE})"

_COLUMNS = pa.schema([(name, pa.string()) for name in ("subject", "predicate", "object", "weight", "metadata")])

# The block, its fact and that one's terms, the node, the weight, the metadata, and what else is said. All but the block
# may be empty.
_Row = tuple[str, str, str, str, str, str, str, str, str]


class Span(NamedTuple):
    """Consecutive blocks. `end` is a place of bytes. Those that `have_columns` say weights and metadata, no more."""

    end: int
    lines: int
    have_columns: bool


class Blocks:
    """The blocks of a file."""

    def __init__(self, stream: BufferedReader, options: RdfOptions, *, numbered: bool) -> None:
        """If `numbered`, no node without a label may be in a fact."""
        self._stream = stream
        weight = "|".join(re.escape(f"<{iri}>") for iri in options.weight_properties)
        unkept = "|".join(re.escape(f"<{iri}>") for iri in UNKEPT)
        metadata = re.escape(f"<{METADATA}>")
        said = f"{metadata}|{unkept}|{weight}"
        type_, statement, *parts = (
            re.escape(f"<{RDF}{name}>") for name in ("type", "Statement", "subject", "predicate", "object", "reifies")
        )
        kept = _NUMBERED if numbered else ""
        no_fact = f"{said}|{'|'.join(parts)}|{type_} {statement} "
        fact = rf"(({kept}(?:{_IRI}|{_BLANK_NODE})) (?!{no_fact})({_IRI}) ({kept}{_TERM}))"
        statement_of = "".join(rf"\6 {part} \{group} \.\n" for part, group in zip(parts[:3], (3, 4, 5), strict=True))
        naming = rf"(?:{parts[3]} <<\( \2 \)>> \.\n|{type_} {statement} \.\n{statement_of})"
        saying = (
            rf"(?:\6 (?:{weight}) ({_LITERAL}) \.\n)?+(?:\6 {metadata} ({_LITERAL}) \.\n)?+"
            rf"(?:\6 (?:{unkept}) {_TERM} \.\n)*+((?:\6 (?:{said}) {_TERM} \.\n)*+)"
        )
        self._block = re.compile(
            rf"^({fact} \.\n(?:({_BLANK_NODE}) {naming}{saying})?+|(?:#[^\n]*+)?+\n)", re.MULTILINE
        )
        self._stack = ExitStack()
        self._spans: list[Span] = []

    def __enter__(self) -> Self:
        self._file = self._stack.enter_context(TemporaryFile())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def are_apart(self) -> bool:
        """True if the file has nothing but blocks, and nothing in one says anything of the fact of another."""
        with ExitStack() as stack:
            writer = stack.enter_context(ipc.new_stream(self._file, _COLUMNS))
            facts, nodes, subjects = (stack.enter_context(Hashes()) for _ in range(3))
            try:
                for rows, end, lines in self._found():
                    columns = list(zip(*filter(_has_fact, rows), strict=True))
                    has_columns = False
                    if columns:
                        _, written, *terms, names, weights, metadata, rests = columns
                        facts.add(written)
                        nodes.add(filter(None, names))
                        subjects.add(subject for subject in set(terms[0]) if subject[0] == "_")
                        # A node of which nothing is said is a subject of facts.
                        silent = any(map(_is_silent, names, weights, metadata))
                        has_columns = not silent and not any(rests)
                        if has_columns:
                            batch = [pa.array(column, pa.string()) for column in (*terms, weights, metadata)]
                            writer.write_batch(pa.record_batch(batch, schema=_COLUMNS))
                    self._spans.append(Span(end, lines, has_columns))
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

    def _found(self) -> Iterator[tuple[list[_Row], int, int]]:
        """The blocks, many at a time, where they end, and in how many lines. Raises ValueError for anything else."""
        before, read = "", 0
        while content := self._stream.read(_SPAN_BYTES) + self._stream.readline():
            content = content if content.endswith(b"\n") else content + b"\n"
            text = before + content.decode()
            rows: list[_Row] = self._block.findall(text)
            rest = _rest(rows, text)
            read += len(content)
            # What comes next may belong to the last one.
            before = (rows.pop()[0] if rows else "") + rest
            if rows:
                yield rows, read - len(before.encode()), text.count("\n") - before.count("\n")
        if before:
            rows = self._block.findall(before)
            if _rest(rows, before):
                raise ValueError("there is something else")
            yield rows, read, before.count("\n")


def _rest(rows: Sequence[_Row], text: str) -> str:
    """The lines after these blocks: of one of which not all is there. Raises ValueError for anything else."""
    size = sum([len(row[0]) for row in rows])
    if size == len(text):
        return ""
    rest = text[size:]
    if rest.count("\n") > _MOST_LINES or not text.startswith("".join([row[0] for row in rows])):
        raise ValueError("there is something else")
    return rest


def _has_fact(row: _Row) -> str:
    return row[1]


def _is_silent(name: str, weight: str, metadata: str) -> bool:
    return bool(name) and not weight and not metadata


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
