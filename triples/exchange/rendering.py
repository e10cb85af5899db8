"""Facts as text in each format. An import of the text makes the same facts."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import orjson

from triples.exchange.fields import NAMES, REQUIRED
from triples.exchange.formats import Format
from triples.exchange.headers import looks_like_names
from triples.exchange.lines import BYTE_ORDER_MARK
from triples.query.export import StreamedFact

# Spreadsheets take a cell that begins with one of these for a formula (OWASP, "CSV Injection"). The last four are the
# full-width forms of East Asia.
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def rendered(format_: Format, batches: Iterable[Sequence[StreamedFact]], *, safe_csv: bool = False) -> Iterator[bytes]:
    """The content of a file with these facts, in parts. With `safe_csv`, no spreadsheet takes a term for a formula."""
    parts = filter(None, _parts(format_, batches, _safe_csv if safe_csv else _csv))
    first = next(parts, b"")
    if format_ is Format.TSV:
        first = _begun_with_a_fact(first)
    if first.startswith(BYTE_ORDER_MARK):
        # The first fact begins with a byte order mark. An import drops the first one, so another is put before it.
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
    """Lines of TSV. Terms have no tabs or line ends, so nothing is quoted. Empty columns at the end are left out."""
    return "".join([_tsv_line(*fact) for fact in facts]).encode()


def _tsv_line(subject: str, predicate: str, object_: str, weight: float, metadata: str | None) -> str:
    if metadata is not None:
        return f"{subject}\t{predicate}\t{object_}\t{weight!r}\t{metadata}\n"
    if weight != 1:
        return f"{subject}\t{predicate}\t{object_}\t{weight!r}\n"
    return f"{subject}\t{predicate}\t{object_}\n"


def _begun_with_a_fact(content: bytes) -> bytes:
    """The lines. If an import would take the first one for column names, it gets a weight, which prevents that."""
    line, end, rest = content.partition(b"\n")
    cells = line.decode().split("\t")
    return b"%b\t1.0%b%b" % (line, end, rest) if len(cells) == len(REQUIRED) and looks_like_names(cells) else content


def _csv(facts: Sequence[StreamedFact]) -> bytes:
    """CSV by RFC 4180: a header, lines that end in CRLF, and the same number of columns in each."""
    text = io.StringIO()
    csv.writer(text).writerows(facts)
    return text.getvalue().encode()


def _safe_csv(facts: Sequence[StreamedFact]) -> bytes:
    """CSV with all cells quoted, so that none is split at a delimiter that a spreadsheet's language prefers."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([*map(_text_cell, fact[:3]), *fact[3:]] for fact in facts)
    return text.getvalue().encode()


def _text_cell(term: str) -> str:
    return f"'{term}" if term.startswith(FORMULA_MARKS) else term


def fact_content(subject: str, predicate: str, object_: str, weight: float, metadata: str | None) -> dict[str, Any]:
    """A fact as JSON with the API's field names."""
    content = {"subject": subject, "predicate": predicate, "object": object_, "weight": weight}
    return content if metadata is None else {**content, "metadata": orjson.Fragment(metadata)}


def _ndjson(facts: Sequence[StreamedFact]) -> bytes:
    return b"".join([orjson.dumps(fact_content(*fact), option=orjson.OPT_APPEND_NEWLINE) for fact in facts])
