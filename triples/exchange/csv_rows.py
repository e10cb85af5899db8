"""Parser of CSV rows (RFC 4180), in which quoted metadata may span several lines."""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jiter

from triples.exchange.fields import NAMES, Fields, fields_of_columns
from triples.exchange.lines import MAX_LINE_BYTES, Line, Refused, decoded

# A row of more lines is taken for a mistake: a quotation mark that is not closed.
MAX_ROW_LINES = 1_000

UNPAIRED = "has a quotation mark that encloses no field"
_FAULTY_LINE = re.compile(r" at line (\d+) column \d+$")


class Row(NamedTuple):
    """The fields of a row, or the reason why it has none. `end` is the place after its last line."""

    first_line: int
    last_line: int
    end: int
    fields: Fields | Refused


def csv_rows(lines: Iterator[Line], names: Sequence[str] | None = None) -> Iterator[Row]:
    """The rows. If a row cannot be read, its first line is refused, and the next line begins another row.

    Only metadata may span lines. A refused row includes the lines of its JSON, and no others.
    """
    read_ahead: deque[Line] = deque()

    def next_line() -> Line | None:
        return read_ahead.popleft() if read_ahead else next(lines, None)

    while (line := next_line()) is not None:
        last = line
        fields: Fields | Refused
        try:
            text = line.text
            if text.count('"') % 2:
                fields, last = _row_of_lines(line, next_line, read_ahead, names)
            elif columns := split_row(text):
                fields = fields_of_columns(columns, names)
            else:
                continue
        except Refused as refused:
            fields = refused
        yield Row(line.number, last.number, last.end, fields)


def split_row(text: str, delimiter: str = ",") -> list[str]:
    """The columns of a row. An empty line has none."""
    if '"' not in text:
        return text.split(delimiter) if text else []
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise Refused(UNPAIRED if "\n" in text else f"is not CSV: {error}") from None


def _row_of_lines(
    first: Line, next_line: Callable[[], Line | None], read_ahead: deque[Line], names: Sequence[str] | None
) -> tuple[Fields | Refused, Line]:
    """The fields of the row that begins in this line, and its last line. Later lines are put back."""
    taken, kept = [first], 1
    fields: Fields | Refused
    try:
        columns = split_row(taken_to_its_end(taken, next_line))
        kept = _lines_of(columns)
        fields = _fields(columns, names)
        kept = len(taken)
    except Refused as refused:
        fields = refused
    read_ahead.extendleft(reversed(taken[kept:]))
    return fields, taken[kept - 1]


def _fields(columns: Sequence[str], names: Sequence[str] | None) -> Fields:
    fields = fields_of_columns(columns, names)
    for name, column in zip(names or NAMES, columns, strict=False):
        if name != "metadata" and "\n" in column:
            raise Refused(f"{name} must not reach over lines, as only metadata may: is a quotation mark missing?")
    return fields


def _lines_of(columns: Sequence[str]) -> int:
    """The number of lines of the row's JSON object, or of as much of it as is valid."""
    column = next((column for column in columns if "\n" in column), "")
    if not column.lstrip().startswith("{"):
        return 1
    try:
        jiter.from_json(column.encode())
    except ValueError as error:
        found = _FAULTY_LINE.search(str(error))
        return max(1, int(found[1]) - 1) if found else 1
    return 1 + column.count("\n")


def taken_to_its_end(taken: list[Line], next_line: Callable[[], Line | None]) -> str:
    """Take lines until all quotation marks are paired. Returns the text of the lines."""
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
    raise Refused(UNPAIRED)
