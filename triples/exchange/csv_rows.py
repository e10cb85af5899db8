"""Lines as rows of CSV (RFC 4180), in which a quoted field may reach over several lines."""

import csv
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from triples.exchange.fields import NAMES, REQUIRED
from triples.exchange.lines import MAX_LINE_BYTES, InputError, Line, Refused, decoded

# How many lines a row may take before its quotation mark is held to be a mistake.
MAX_ROW_LINES = 1_000

_UNPAIRED = "has a quotation mark that encloses no field"


class Row(NamedTuple):
    """The row of these lines, or why it is none; `end` is the place behind it."""

    first_line: int
    last_line: int
    end: int
    columns: list[str] | Refused


def csv_rows(lines: Iterator[Line]) -> Iterator[Row]:
    """The rows. Where one cannot be read, its first line is refused, and the next line begins another."""
    read_ahead: deque[Line] = deque()

    def next_line() -> Line | None:
        return read_ahead.popleft() if read_ahead else next(lines, None)

    while (line := next_line()) is not None:
        taken = [line]
        try:
            text = line.text
            if text.count('"') % 2:
                text = _taken_to_its_end(taken, next_line)
            row = Row(line.number, taken[-1].number, taken[-1].end, _columns(text))
        except Refused as refused:
            read_ahead.extendleft(reversed(taken[1:]))
            row = Row(line.number, line.number, line.end, refused)
        if row.columns:
            yield row


def header_names(columns: list[str] | Refused) -> list[str] | None:
    """The names of the columns, if this first row of a file gives them; InputError when some are unknown."""
    if isinstance(columns, Refused):
        return None
    names = [column.strip().lower() for column in columns]
    if not set(REQUIRED) <= set(names):
        return None
    if unknown := [name for name in names if name not in NAMES]:
        raise InputError(f"the header names the unknown column {unknown[0]!r}")
    if len(set(names)) < len(names):
        raise InputError("the header names a column twice")
    return names


def _taken_to_its_end(taken: list[Line], next_line: Callable[[], Line | None]) -> str:
    """Take lines until the quotation marks of all pair up; their text."""
    parts = [taken[0].content or b""]
    size = len(parts[0])
    while (line := next_line()) is not None:
        taken.append(line)
        if line.content is None or size > MAX_LINE_BYTES or len(taken) > MAX_ROW_LINES:
            break
        parts.append(line.content)
        size += len(line.content)
        if line.content.count(b'"') % 2:
            return decoded(b"\n".join(parts))
    raise Refused(_UNPAIRED)


def _columns(text: str) -> list[str]:
    """The columns of a row; none of an empty line."""
    if '"' not in text:
        return text.split(",") if text else []
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise Refused(_UNPAIRED if "\n" in text else f"is not CSV: {error}") from None
