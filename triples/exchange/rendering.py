"""Stored facts as the text of each format, such that an import makes the same facts of it."""

import csv
import io
from collections.abc import Callable, Sequence

import orjson

from triples.exchange.fields import NAMES
from triples.exchange.formats import Format
from triples.store.export import StreamedFact

Render = Callable[[Sequence[StreamedFact]], bytes]


def head(format_: Format) -> bytes:
    """What stands before the first fact."""
    return f"{','.join(NAMES)}\r\n".encode() if format_ is Format.CSV else b""


def renderer(format_: Format) -> Render:
    return {Format.TSV: _tsv, Format.CSV: _csv, Format.NDJSON: _ndjson}[format_]


def _tsv(facts: Sequence[StreamedFact]) -> bytes:
    """Terms hold neither tabs nor line ends, so nothing is quoted; columns at the end that say nothing are left out."""
    return "".join([_tsv_line(*fact) for fact in facts]).encode()


def _tsv_line(subject: str, predicate: str, object_: str, weight: float, metadata: str | None) -> str:
    if metadata is not None:
        return f"{subject}\t{predicate}\t{object_}\t{weight!r}\t{metadata}\n"
    if weight != 1:
        return f"{subject}\t{predicate}\t{object_}\t{weight!r}\n"
    return f"{subject}\t{predicate}\t{object_}\n"


def _csv(facts: Sequence[StreamedFact]) -> bytes:
    """As RFC 4180 has it: a header, lines that end in CRLF, the same number of columns in each."""
    text = io.StringIO()
    csv.writer(text).writerows(facts)
    return text.getvalue().encode()


def _ndjson(facts: Sequence[StreamedFact]) -> bytes:
    lines = []
    for subject, predicate, object_, weight, metadata in facts:
        content = {"subject": subject, "predicate": predicate, "object": object_, "weight": weight}
        if metadata is not None:
            content["metadata"] = orjson.Fragment(metadata)
        lines.append(orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
    return b"".join(lines)
