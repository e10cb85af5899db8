"""A fast reader of N-Triples in which what is said of a fact stands right after it, as exports have it.

A block is a fact, and if wanted a blank node that reifies it, and what is said of that node. A file of blocks in which
no fact and no such node occurs twice says nothing of a fact elsewhere, so that each block can be read for itself. This
is known only at the end of the file. Until then, what was found is kept in a temporary file.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BufferedReader, BytesIO
from tempfile import TemporaryFile
from typing import NamedTuple, Self, cast

import pyarrow as pa
from pyarrow import ipc

from triples.exchange.formats.base import Part, Reading
from triples.exchange.lines import DAMAGED, skip_to
from triples.exchange.rdf.annotated import RDF, REIFIES, weight_in
from triples.exchange.rdf.columns import facts_of_terms
from triples.exchange.rdf.distinct import Hashes, are_distinct
from triples.exchange.rdf.options import METADATA, UNKEPT, RdfOptions
from triples.exchange.rdf.reading import RdfReader
from triples.exchange.rdf.terms import TermTexts
from triples.store.fact_columns import FactColumns

_SPAN_BYTES = 1 << 22
_MOST_WEIGHTS = 100_000
# Terms that cannot be written in any other way, so that the same fact is the same text.
_IRI = r'<[^\x00-\x20<>"{}|^`\\]*+>'
_BLANK_NODE = r"_:[A-Za-z0-9_][A-Za-z0-9_.-]*+(?<!\.)"
_CHARS = r'[^"\\\x00-\x1f\x7f]*+'
_LITERAL = (
    rf'"{_CHARS}(?:\\[tbnrf"\\]{_CHARS})*+"'
    rf"(?:@[a-z]++(?:-[a-z0-9]++)*+|\^\^(?!<http://www\.w3\.org/2001/XMLSchema#string>){_IRI})?+"
)
_TERM = rf"(?:{_IRI}|{_LITERAL}|{_BLANK_NODE})"

_COLUMNS = pa.schema([(name, pa.string()) for name in ("subject", "predicate", "object", "weight")])

# The block, its fact and that one's terms, the node, the weight, and what else is said. All but the block may be empty.
_Row = tuple[str, str, str, str, str, str, str, str]


class Span(NamedTuple):
    """Consecutive blocks. `end` is a place of bytes. Those that `have_columns` have nothing more than a weight."""

    end: int
    lines: int
    have_columns: bool


class Blocks:
    """The blocks of a file."""

    def __init__(self, stream: BufferedReader, options: RdfOptions) -> None:
        self._stream = stream
        weight = "|".join(re.escape(f"<{iri}>") for iri in options.weight_properties)
        said = "|".join(re.escape(f"<{iri}>") for iri in (METADATA, *UNKEPT, *options.weight_properties))
        parts = "|".join(re.escape(f"<{RDF}{name}>") for name in ("subject", "predicate", "object", "reifies"))
        fact = rf"((?:{_IRI}|{_BLANK_NODE})) (?!{said}|{parts})({_IRI}) ({_TERM})"
        node = rf"({_BLANK_NODE}) {re.escape(str(REIFIES))} <<\( \2 \)>> \.\n"
        saying = rf"(?:\6 (?:{weight}) ({_LITERAL}) \.\n)?+((?:\6 (?:{said}) {_TERM} \.\n)*+)"
        self._block = re.compile(rf"(({fact}) \.\n(?:{node}{saying})?+|(?:#[^\n]*+)?+\n)")
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
                        _, written, *terms, names, weights, rests = columns
                        facts.add(written)
                        nodes.add(filter(None, names))
                        subjects.add(subject for subject in set(terms[0]) if subject[0] == "_")
                        has_columns = not any(rests) and names.count("") == weights.count("")
                        if has_columns:
                            batch = [pa.array(column, pa.string()) for column in (*terms, weights)]
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
            if sum([len(row[0]) for row in rows]) < len(text):
                raise ValueError("there is something else")
            read += len(content)
            # What comes next may belong to the last one.
            before = rows.pop()[0]
            if rows:
                yield rows, read - len(before.encode()), text.count("\n") - before.count("\n")
        if before:
            yield self._block.findall(before), read, before.count("\n")


def _has_fact(row: _Row) -> str:
    return row[1]


class ReifiedLines:
    """Reads blocks that are apart. `others` makes a reader of lines after a line, of which so many facts are stored."""

    def __init__(
        self,
        blocks: Blocks,
        reading: Reading,
        texts: TermTexts,
        others: Callable[[BufferedReader, int, int], RdfReader],
    ) -> None:
        self._blocks = blocks
        self._reading = reading
        self._texts = texts
        self._others = others
        self._weights: dict[str, float] = {}

    def parts(self, start: int) -> Iterator[Part]:
        """The parts after `start` facts. Their ends are numbers of facts."""
        count = line = offset = 0
        for span, columns in self._blocks:
            facts = None if columns is None else self._facts(columns)
            if columns is not None and facts is not None:
                yield from self._parts_of(columns, facts, start, count, line)
                count += len(columns)
            else:
                lines = cast("BufferedReader", BytesIO(self._blocks.content(offset, span.end)))
                reader = self._others(lines, line, max(start - count, 0))
                for part in reader.apart():
                    yield part._replace(end=count + part.end)
                count += reader.count
            line += span.lines
            offset = span.end

    def _parts_of(
        self, columns: pa.RecordBatch, facts: FactColumns, start: int, count: int, line: int
    ) -> Iterator[Part]:
        """The parts of a span, which comes after so many facts and lines."""
        made = max(start - count, 0)
        while made < len(columns):
            size = self._reading.most_lines()
            chosen = facts if size >= len(columns) > 0 == made else self._facts(columns.slice(made, size))
            assert chosen, "what can be stored does not depend on the facts around it"
            made += len(chosen)
            yield Part(chosen, line, count + made)

    def _facts(self, columns: pa.RecordBatch) -> FactColumns | None:
        """The facts. None if any is refused."""
        *terms, weights = columns.columns
        said = weights.dictionary_encode()
        try:
            values = pa.array(map(self._weight, said.dictionary.to_pylist()), pa.float64())
            return facts_of_terms(terms, values.take(said.indices), self._texts.checked_text)
        except ValueError:
            return None

    def _weight(self, written: str) -> float:
        """The weight. Weights repeat, so some are remembered."""
        known, maker = self._weights, self._reading.maker
        if written not in known:
            if len(known) >= _MOST_WEIGHTS:
                known.clear()
            literal = self._texts.term_of_written(written) if written else None
            known[written] = maker.weight(None) if literal is None else weight_in(literal, maker)
        return known[written]
