"""Contents of files as facts, without a database."""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from triples.exchange.facts import UNSCALED, FactMaker
from triples.exchange.formats.base import AS_IS, Format, Part, Reading, ReadOptions, Writing
from triples.exchange.lines import InputError, Refused
from triples.exchange.rdf.options import PrefixStore
from triples.query.export import StreamedFact


class Read(NamedTuple):
    """The facts of a file, in its order, the refused lines, and the parts."""

    facts: list[StreamedFact]
    refused: list[tuple[int, str]]
    parts: list[Part]


def read(
    format_: Format,
    content: bytes | str,
    options: ReadOptions = AS_IS,
    *,
    prefixes: PrefixStore | None = None,
    start: tuple[int, int] = (0, 0),
    most: int = 1_000_000,
) -> Read:
    refused: list[tuple[int, str]] = []

    def refuse(line: int, reason: Refused) -> None:
        refused.append((line, str(reason)))

    reading = Reading(FactMaker(1.0, UNSCALED), refuse, lambda: most, options, prefixes or PrefixStore())
    data = content.encode() if isinstance(content, str) else content
    stream = cast("io.BufferedReader", io.BufferedReader(io.BytesIO(data)))
    parts = list(format_.parts(stream, reading, *start))
    return Read([StreamedFact(*fact[:5]) for part in parts for fact in part.facts], refused, parts)


def read_until_fault(format_: Format, content: bytes | str) -> tuple[list[StreamedFact], InputError | None]:
    """The facts before a fault, and the fault."""
    reading = Reading(FactMaker(1.0, UNSCALED), lambda *_: None, lambda: 1_000_000)
    data = content.encode() if isinstance(content, str) else content
    stream = cast("io.BufferedReader", io.BufferedReader(io.BytesIO(data)))
    facts: list[StreamedFact] = []
    try:
        for part in format_.parts(stream, reading):
            facts += [StreamedFact(*fact[:5]) for fact in part.facts]
    except InputError as error:
        return facts, error
    return facts, None


def write(format_: Format, facts: Sequence[StreamedFact], writing: Writing) -> bytes:
    file = io.BytesIO()
    format_.write([list(facts[:2]), list(facts[2:])], cast("Any", file), writing)
    return file.getvalue()
