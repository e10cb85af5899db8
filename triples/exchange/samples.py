"""Guesses from the first rows of a table: what separates its columns, and whether the first row is a header."""

from collections import Counter
from collections.abc import Sequence

from triples.exchange.fields import NAMES, REQUIRED

DELIMITERS = (",", ";", "\t", "|")
# The rows that are looked at, and how many it takes to tell anything of the columns.
MOST_ROWS, FEWEST_ROWS, FEWEST_OTHERS = 100, 10, 2
_LONGEST_NAME = 60


def delimiter_of(lines: Sequence[str]) -> str:
    """The most likely delimiter of the columns: it is in most lines, as often as in the first."""
    return max(DELIMITERS, key=lambda each: _lines_alike(lines, each))


def _lines_alike(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    counts = [line.count(delimiter) for line in lines[:MOST_ROWS]]
    # Two delimiters make the three columns of a fact.
    alike = Counter(count for count in counts if count >= 2)
    return (max(alike.values(), default=0), sum(count >= 1 for count in counts))


def reason_for_header(rows: Sequence[Sequence[str]]) -> str | None:
    """The reason why the first row can only be a header of other names, and no fact; None if it may be a fact."""
    first, others = rows[0], rows[1:]
    may_be_header = all(map(_may_be_name, first)) and len(set(first)) == len(first)
    if len(others) < FEWEST_OTHERS or not may_be_header or any(len(row) != len(first) for row in others):
        return None
    if len(first) > len(NAMES):
        return f"the rows have {len(first)} columns"
    return _reason_of_columns(first, others) if len(first) >= len(REQUIRED) else None


def _reason_of_columns(first: Sequence[str], others: Sequence[Sequence[str]]) -> str | None:
    repeats_no_predicate = len({row[1] for row in others}) == len(others)
    for place, (name, column) in enumerate(zip(first, zip(*others, strict=True), strict=True)):
        # After a fact with a text, others may happen to have numbers as objects.
        if all(map(is_number, column)) and (place != REQUIRED.index("object") or repeats_no_predicate):
            return f"{name!r} stands above numbers"
    if len(others) >= FEWEST_ROWS and repeats_no_predicate:
        return "the second column has another text in each row, as no column of predicates has"
    return None


def _may_be_name(cell: str) -> bool:
    return 0 < len(cell.strip()) <= _LONGEST_NAME and not is_number(cell) and not cell.lstrip().startswith("{")


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
