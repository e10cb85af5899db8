"""Rows of tables of any columns, which may be quoted (RFC 4180) and reach over lines."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from triples.exchange.csv_rows import UNPAIRED, split_row, taken_to_its_end
from triples.exchange.fields import REQUIRED, Fields, fields_of_columns
from triples.exchange.lines import Line, Refused


class Layout(Protocol):
    """The content of the columns."""

    @property
    def width(self) -> int: ...

    def fields(self, cells: Sequence[str], /) -> Sequence[Fields]:
        """The fields of a row's facts. Raises Refused."""


class TableRow(NamedTuple):
    """The facts of a row, or the reason why it has none. `end` is the place after its last line."""

    first_line: int
    last_line: int
    end: int
    facts: Sequence[Fields] | Refused


def table_rows(lines: Iterator[Line], delimiter: str, layout: Layout | None) -> Iterator[TableRow]:
    """The rows. If a row cannot be read, its first line is refused, and the next line begins another row."""
    read_ahead: deque[Line] = deque()

    def next_line() -> Line | None:
        return read_ahead.popleft() if read_ahead else next(lines, None)

    while (line := next_line()) is not None:
        taken = [line]
        facts: Sequence[Fields] | Refused
        try:
            cells = split_row(_text(taken, next_line), delimiter)
            if not cells:
                continue
            facts = _facts(cells, layout, is_of_lines=len(taken) > 1)
        except Refused as refused:
            facts = refused
            read_ahead.extendleft(reversed(taken[1:]))
            del taken[1:]
        yield TableRow(line.number, taken[-1].number, taken[-1].end, facts)


def _text(taken: list[Line], next_line: Callable[[], Line | None]) -> str:
    """The text of a row that begins in the line taken, to which those lines are added that the row goes on in."""
    text = taken[0].text
    return taken_to_its_end(taken, next_line) if text.count('"') % 2 else text


def _facts(cells: Sequence[str], layout: Layout | None, *, is_of_lines: bool) -> Sequence[Fields]:
    # A quotation mark that is missing somewhere makes a row of other columns.
    if is_of_lines and layout is not None and len(cells) != layout.width:
        raise Refused(UNPAIRED)
    facts = layout.fields(cells) if layout else [fields_of_columns(cells)]
    for fact in facts:
        for name, text in zip(REQUIRED, fact[:3], strict=True):
            if "\n" in text:
                raise Refused(f"{name} must not reach over lines: is a quotation mark missing?")
    return facts
