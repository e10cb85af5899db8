"""Stored facts as the text of each format, such that an import makes the same facts of it."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence

import orjson

from triples.exchange.fields import NAMES, REQUIRED
from triples.exchange.formats import Format
from triples.exchange.headers import looks_like_names
from triples.exchange.lines import BYTE_ORDER_MARK
from triples.query.export import StreamedFact

# What makes a cell a formula to a spreadsheet (OWASP, "CSV Injection"); the last four to those of East Asia.
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def rendered(format_: Format, batches: Iterable[Sequence[StreamedFact]], *, safe_csv: bool = False) -> Iterator[bytes]:
    """The content of a file with these facts, in parts; with `safe_csv`, such that no spreadsheet computes a term."""
    parts = filter(None, _parts(format_, batches, _safe_csv if safe_csv else _csv))
    first = next(parts, b"")
    if format_ is Format.TSV:
        first = _begun_with_a_fact(first)
    if first.startswith(BYTE_ORDER_MARK):
        # The first fact begins like this, and an import leaves it out once.
        yield BYTE_ORDER_MARK
    yield first
    yield from parts


def _parts(
    format_: Format, batches: Iterable[Sequence[StreamedFact]], csv_: Callable[[Sequence[StreamedFact]], bytes]
) -> Iterator[bytes]:
    if format_ is Format.CSV:
        yield f"{','.join(NAMES)}\r\n".encode()
    yield from map({Format.TSV: _tsv, Format.CSV: csv_, Format.NDJSON: _ndjson}[format_], batches)


def _tsv(facts: Sequence[StreamedFact]) -> bytes:
    """Terms hold neither tabs nor line ends, so nothing is quoted; columns at the end that say nothing are left out."""
    return "".join([_tsv_line(*fact) for fact in facts]).encode()


def _tsv_line(subject: str, predicate: str, object_: str, weight: float, metadata: str | None) -> str:
    if metadata is not None:
        return f"{subject}\t{predicate}\t{object_}\t{weight!r}\t{metadata}\n"
    if weight != 1:
        return f"{subject}\t{predicate}\t{object_}\t{weight!r}\n"
    return f"{subject}\t{predicate}\t{object_}\n"


def _begun_with_a_fact(content: bytes) -> bytes:
    """The lines, the first of which no import takes for the names of columns: a weight tells it from them."""
    line, end, rest = content.partition(b"\n")
    cells = line.decode().split("\t")
    return b"%b\t1.0%b%b" % (line, end, rest) if len(cells) == len(REQUIRED) and looks_like_names(cells) else content


def _csv(facts: Sequence[StreamedFact]) -> bytes:
    """As RFC 4180 has it: a header, lines that end in CRLF, the same number of columns in each."""
    text = io.StringIO()
    csv.writer(text).writerows(facts)
    return text.getvalue().encode()


def _safe_csv(facts: Sequence[StreamedFact]) -> bytes:
    """All cells are quoted, so that none ends where another language of the spreadsheet has its delimiter."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([*map(_text_cell, fact[:3]), *fact[3:]] for fact in facts)
    return text.getvalue().encode()


def _text_cell(term: str) -> str:
    return f"'{term}" if term.startswith(FORMULA_MARKS) else term


def _ndjson(facts: Sequence[StreamedFact]) -> bytes:
    lines = []
    for subject, predicate, object_, weight, metadata in facts:
        content = {"subject": subject, "predicate": predicate, "object": object_, "weight": weight}
        if metadata is not None:
            content["metadata"] = orjson.Fragment(metadata)
        lines.append(orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
    return b"".join(lines)
