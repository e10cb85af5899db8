"""Fast readers: they take what is ordinary in columns, and leave the rest to `RdfReader`."""

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from io import BufferedReader, BytesIO
from itertools import islice
from typing import cast

from pyoxigraph import RdfFormat, parse, serialize

from triples.exchange.formats.base import Part, Reading
from triples.exchange.lines import DAMAGED, unreadable
from triples.exchange.rdf.columns import annotated_columns, plain_columns
from triples.exchange.rdf.quads import UNCHECKED
from triples.exchange.rdf.terms import TermTexts

_SPAN_BYTES, _LINE_BYTES = 1 << 22, 128
_QUADS_AT_ONCE = 60_000
# The most quads that wait for what may be said of their fact.
_CARRIED = 4
# A line with what is said of the fact before it.
_SAYING = re.compile(rb"_:[a-f][0-9a-f]{19,31} ")

TextsOf = Callable[[Mapping[str, str]], TermTexts]


def line_parts(
    stream: BufferedReader,
    reading: Reading,
    texts: TermTexts,
    others: Callable[[BufferedReader, int, int], Iterator[Part]],
    place: tuple[int, int],
) -> Iterator[Part]:
    """The parts of lines of N-Triples, after a line that ends at a byte. `others` reads lines that are not ordinary."""
    number, offset = place
    for content in _spans(stream, reading.most_lines):
        facts = plain_columns(content, texts, reading.maker)
        if facts is None:
            yield from others(cast("BufferedReader", BytesIO(content)), number, offset)
        number += content.count(b"\n") + (not content.endswith(b"\n"))
        offset += len(content)
        if facts is not None:
            yield Part(facts, number, offset)


def _spans(stream: BufferedReader, most_lines: Callable[[], int]) -> Iterator[bytes]:
    """Whole lines, as many as a part may have."""
    rest = b""
    while True:
        most = most_lines()
        try:
            content = rest or stream.read(min(_SPAN_BYTES, most * _LINE_BYTES)) + stream.readline()
        except DAMAGED as error:
            raise unreadable(error) from error
        if not content:
            return
        end = len(content)
        if content.count(b"\n") > most:
            end = sum(map(len, content.split(b"\n", most)[:most])) + most
        yield content[:end]
        rest = content[end:]


def quad_parts(
    stream: BufferedReader, syntax: RdfFormat, reading: Reading, texts_of: TextsOf, start: int = 0
) -> Generator[Part, None, int | None]:
    """The parts of a file, as long as a fact has nothing after it but its weight. Their ends are numbers of quads.

    `start` quads are passed over, which end with a fact and its weight. `texts_of` gets the prefixes of the file.
    Returns the number of quads that were taken, or None if these are all.
    """
    options, texts = reading.options.rdf, None
    count, rest = start, b""
    try:
        quads = parse(stream, syntax, base_iri=options.base, lenient=syntax in UNCHECKED)
        next(islice(quads, start, start), None)
        while True:
            at_once = max(min(_QUADS_AT_ONCE, reading.most_lines() - _CARRIED), 1)
            content = serialize(islice(quads, at_once), format=RdfFormat.N_QUADS)
            texts = texts or texts_of(dict(quads.prefixes))
            lines, rest = _cut(rest + content) if content else (rest, b"")
            if not lines and not content:
                return None
            if not lines:
                continue
            facts = annotated_columns(lines, texts, reading.maker, options.weight_properties)
            if facts is None or len(facts) > reading.most_lines():
                return count
            count += lines.count(b"\n")
            yield Part(facts, 0, count)
    except (*DAMAGED, SyntaxError, ValueError):
        return count


def _cut(content: bytes) -> tuple[bytes, bytes]:
    """The lines before the last fact, and the rest: what is said of that fact may be still to come."""
    end = len(content) - 1
    for _ in range(3):
        start = content.rfind(b"\n", 0, end) + 1
        if _SAYING.match(content, start) is None:
            # The parser gives the node of a fact with a string before the fact itself.
            before = content.rfind(b"\n", 0, max(start - 1, 0)) + 1
            fact = content[start:].partition(b"\n")[0].removesuffix(b".")
            first = before if content[before:start].endswith(b"<<( %b)>> .\n" % fact) else start
            return content[:first], content[first:]
        end = start - 1
    return content, b""
