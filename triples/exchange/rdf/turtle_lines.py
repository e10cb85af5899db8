"""A fast reader of Turtle in which each line is a fact, as exports have it: `e:a e:p e:b {| skg:weight 0.9 |} .`

A fact may have its weight, its metadata, or one after the other. The reader takes spans of lines as long as all of them
are as simple as that. Where it stops, the file is parsed.
"""

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from io import BufferedReader

import pyarrow as pa
from pyoxigraph import BlankNode, Literal, RdfFormat, parse

from triples.exchange.fields import metadata_of
from triples.exchange.formats.base import Part, Reading
from triples.exchange.lines import DAMAGED
from triples.exchange.rdf.annotated import weight_in
from triples.exchange.rdf.columns import RANDOM_NODE, facts_of_terms
from triples.exchange.rdf.fast import TextsOf
from triples.exchange.rdf.options import METADATA
from triples.exchange.rdf.terms import TermTexts
from triples.fact_validation import clean_text, metadata_text
from triples.store.fact_columns import FactColumns

_SPAN_BYTES = 1 << 20
_HEAD_LINE = re.compile(rb"\s*(?:$|#|@?(?:prefix|base)\s)", re.IGNORECASE)
# What the parser would refuse, such as a name whose prefix is not declared, is found out for each distinct term.
_NAME = r"(?:[A-Za-z][A-Za-z0-9_-]*+)?:[A-Za-z0-9_][A-Za-z0-9_-]*+(?:\.++[A-Za-z0-9_-]++)*+"
_IRI = r'<[^\x00-\x20<>"{}|^`\\]*+>'
_BLANK_NODE = r"_:[A-Za-z0-9_][A-Za-z0-9_-]*+"
_NUMBER = r"[+-]?+[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+"
_STRING = (
    r'"[^"\\\n\r]*+(?:\\[tbnrf"\'\\uU][^"\\\n\r]*+)*+"'
    rf"(?:@[a-zA-Z]++(?:-[a-zA-Z0-9]++)*+|\^\^(?:{_IRI}|{_NAME}))?+"
)
_LINE = re.compile(
    rf"^(?:({_NAME}|{_IRI}|{_BLANK_NODE}) ({_NAME}|{_IRI}) ({_NAME}|{_IRI}|{_STRING}|{_NUMBER}|{_BLANK_NODE})"
    rf"(?: \{{\| ({_NAME}|{_IRI}) ({_NUMBER}|{_STRING})(?: ; ({_NAME}|{_IRI}) ({_STRING}))?+ \|\}})?+ \."
    r"|[ \t]*+(?:#[^\n\r]*+)?+)$",
    re.MULTILINE,
)
_XSD = "http://www.w3.org/2001/XMLSchema#"

# Subject, predicate, object, and up to two properties and their values, as they are written; these may be empty.
_Row = tuple[str, str, str, str, str, str, str]


def turtle_line_parts(
    stream: BufferedReader, syntax: RdfFormat, reading: Reading, texts_of: TextsOf
) -> Generator[Part, None, int | None]:
    """The parts of a file, as `quad_parts` has them, as long as its lines are simple."""
    count = 0
    try:
        head, content = _beginning(stream)
        parser = parse(head, syntax, base_iri=reading.options.rdf.base)
        if any(True for _ in parser):
            return count
        prefixes = dict(parser.prefixes)
        facts_of: _Facts | None = None
        while content:
            rows = _rows(content)
            if rows is None:
                return count
            facts_of = facts_of or _Facts(reading, prefixes, texts_of(prefixes))
            for part in _split(rows, reading.most_lines):
                facts, quads = facts_of(part)
                count += quads
                yield Part(facts, 0, count)
            content = stream.read(_SPAN_BYTES) + stream.readline()
    except (*DAMAGED, SyntaxError, ValueError):
        return count
    return None


def _beginning(stream: BufferedReader) -> tuple[bytes, bytes]:
    """The declarations at the beginning of the file, and the lines after them."""
    content = stream.read(_SPAN_BYTES) + stream.readline()
    end = 0
    while end < len(content) and _HEAD_LINE.match(content, end, (content.find(b"\n", end) + 1 or len(content))):
        end = content.find(b"\n", end) + 1 or len(content)
    return content[:end], content[end:]


def _rows(content: bytes) -> list[_Row] | None:
    """The facts of whole lines. None unless all lines are simple."""
    rows: list[_Row] = _LINE.findall(text := content.decode())
    # The empty line after the last line end counts, too.
    if len(rows) < text.count("\n") + 1:
        return None
    return [row for row in rows if row[0]]


def _split(rows: list[_Row], most: Callable[[], int]) -> Iterator[list[_Row]]:
    start = 0
    while start < len(rows):
        size = most()
        yield rows[start : start + size]
        start += size


class _Facts:
    """Makes facts of rows. Raises ValueError where that needs the parser."""

    def __init__(self, reading: Reading, prefixes: Mapping[str, str], texts: TermTexts) -> None:
        self._maker = reading.maker
        self._weight_properties = reading.options.rdf.weight_properties
        self._prefixes = prefixes
        self._texts = texts
        self._kept = tuple(f"{name}:" for name, iri in prefixes.items() if texts.keeps_prefix(name, iri))
        self._weights = {"": self._maker.weight(None)}

    def __call__(self, rows: Sequence[_Row]) -> tuple[FactColumns, int]:
        """The facts, and the number of quads that the parser has for them."""
        subjects, predicates, objects, properties, weights, others, metadata = zip(*rows, strict=True)
        # An annotation is a node that stands for the fact, and what it says.
        quads = len(rows) + 2 * (len(rows) - properties.count("")) + len(rows) - others.count("")
        described = None
        if {*map(self._is_metadata, {*properties}), any(others)} != {False}:
            weights, metadata = map(tuple, self._told_apart(properties, weights, others, metadata))
            described = pa.array(map(self._metadata, metadata), pa.large_string(), size=len(rows))
        known = self._weights
        for written in set(weights).difference(known):
            known[written] = weight_in(self._texts.term_of_written(self._in_full(written)), self._maker)
        terms = [pa.array(column, pa.string()) for column in (subjects, predicates, objects)]
        column = pa.array(map(known.__getitem__, weights), pa.float64(), size=len(rows))
        return facts_of_terms(terms, column, self._clean, described), quads

    def _is_metadata(self, name: str) -> bool:
        """True if a property is that of metadata. Raises ValueError if it is that of nothing that is taken here."""
        iri = name and self._iri(name)
        if iri and iri != METADATA and iri not in self._weight_properties:
            raise ValueError(f"{name} is no property of a weight, nor of metadata")
        return iri == METADATA

    def _told_apart(self, *columns: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
        """The weights and the metadata of properties and values, of which metadata may be the first or the second."""
        firsts, values, seconds, others = columns
        is_metadata = {name: self._is_metadata(name) for name in {*firsts, *seconds}}
        weights: list[str] = []
        metadata: list[str] = []
        for first, value, second, other in zip(firsts, values, seconds, others, strict=True):
            comes_first = is_metadata[first]
            if second and (comes_first or not is_metadata[second]):
                raise ValueError("two weights, or metadata twice or before the weight")
            weights.append("" if comes_first else value)
            metadata.append(value if comes_first else other)
        return weights, metadata

    def _metadata(self, written: str) -> str | None:
        if not written:
            return None
        literal = self._texts.term_of_written(self._in_full(written))
        return metadata_text(metadata_of(literal.value)) if isinstance(literal, Literal) else None

    def _clean(self, written: Sequence[str]) -> list[str]:
        return list(map(clean_text, map(self._text, written)))

    def _text(self, written: str) -> str:
        if written.startswith(self._kept) and "." not in written:
            return written
        if written[0] == "_":
            if RANDOM_NODE.match(written):
                raise ValueError("it is numbered by its place in the file")
            return self._texts.text(BlankNode(written[2:]))
        return self._texts.checked_text(self._in_full(written))

    def _in_full(self, written: str) -> str:
        """The term as N-Triples writes it."""
        if written[0] == '"':
            value, mark, datatype = written.rpartition('"^^')
            return f'{value}"^^<{self._iri(datatype)}>' if mark else written
        if written[0] in "+-0123456789":
            is_double = "e" in written or "E" in written
            return f'"{written}"^^<{_XSD}{"double" if is_double else "decimal" if "." in written else "integer"}>'
        return f"<{self._iri(written)}>"

    def _iri(self, written: str) -> str:
        if written[0] == "<":
            if "/." in written:
                raise ValueError("it may be resolved")
            return written[1:-1]
        name, _, local = written.partition(":")
        if name not in self._prefixes:
            raise ValueError(f"the prefix {name} is not declared")
        return self._prefixes[name] + local
