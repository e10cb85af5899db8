"""CSV with quotation marks that do not pair up: every line is stored or reported."""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triples.exchange.formats import CSV
from triples.exchange.csv_rows import MAX_ROW_LINES, Row, csv_rows
from triples.exchange.facts import UNSCALED, FactMaker
from triples.exchange.fields import NAMES, Fields
from triples.exchange.formats.base import Reading
from triples.exchange.lines import Refused, lines

OPENING, CLOSING = 'Kepler,said,"Astronomia nova', 'Brahe,said,in haste"'


def rows(content: str, names: Sequence[str] | None = None) -> list[Row]:
    return list(csv_rows(lines(io.BytesIO(content.encode())), names))


def told(found: list[Row]) -> list[tuple[int, int, str]]:
    """First and last line, and the subject or why there is none."""
    return [
        (row.first_line, row.last_line, row.fields.subject if isinstance(row.fields, Fields) else str(row.fields))
        for row in found
    ]


@pytest.mark.parametrize("between", [0, 1, 20, MAX_ROW_LINES - 2, MAX_ROW_LINES - 1, MAX_ROW_LINES, MAX_ROW_LINES + 1])
def test_lines_between_two_stray_quotation_marks_are_stored(between: int) -> None:
    found = rows("\n".join([OPENING, *(f"s{number},near,o" for number in range(between)), CLOSING, "a,b,c"]))
    refused = [row.first_line for row in found if isinstance(row.fields, Refused)]
    assert refused == [1, between + 2]
    assert [row.first_line for row in found] == list(range(1, between + 4))


OVER_LINES = "must not reach over lines, as only metadata may: is a quotation mark missing?"


@pytest.mark.parametrize(
    ("content", "names", "expected"),
    [
        ('"a\nb",p,o', None, [f"subject {OVER_LINES}", "has a quotation mark"]),
        ('a,"p\np",o', None, [f"predicate {OVER_LINES}", "has a quotation mark"]),
        ('a,p,"o\n"', None, [f"object {OVER_LINES}", "has a quotation mark"]),
        ('a,p,o,"0.5\n"', None, [f"weight {OVER_LINES}", "has a quotation mark"]),
        ('a,p,o,"{}\n"', None, ["weight must be a number"]),
        ('"{\n}",a,p,o', ("metadata", *NAMES[:3]), ["a"]),
        ('"{\n}",a,p,o', None, ["weight must be a number"]),
        ('"{\n}",a,p', None, [f"subject {OVER_LINES}"]),
        ('a,"p\np",o,"{\n}"', (*NAMES[:3], "metadata"), [f"predicate {OVER_LINES}", "is not CSV", "has"]),
    ],
)
def test_only_metadata_reaches_over_lines(content: str, names: Sequence[str] | None, expected: list[str]) -> None:
    found = [reason for _, _, reason in told(rows(content, names))]
    assert [reason[: len(part)] for reason, part in zip(found, expected, strict=True)] == expected


METADATA = [
    # What it is, and how many of the lines are one row that is refused or taken.
    ('"{\n""a"": 1\n}"', 3, None),
    ('"\n\n{\n}\n"', 5, None),
    ('"\n\n"', 3, None),
    ('"{\n""a"": [1, 2, 3],\n}"', 2, "metadata is not JSON: trailing comma"),
    ('"{\n""a"": 1,\n""a"": 2}"', 3, "metadata: Detected duplicate key"),
    ('"[\n1, 2, 3]"', 1, "metadata must be a JSON object"),
    ('"{""a"": 1}\nx,y,z"', 1, "metadata is not JSON: trailing characters"),
    ('"{\nx,y,z"', 1, "metadata is not JSON"),
    ('"{""a"": ""\nx,y,z"', 1, "metadata is not JSON"),
    ('"\nx,y,z"', 1, "metadata is not JSON"),
]


@pytest.mark.parametrize(("metadata", "taken", "reason"), METADATA)
def test_a_row_that_is_refused_takes_the_lines_of_its_json_alone(metadata: str, taken: int, reason: str | None) -> None:
    found = rows(f"s,p,o,1,{metadata}\nlast,p,o\n")
    assert (found[0].first_line, found[0].last_line) == (1, taken)
    assert isinstance(found[0].fields, Fields) if reason is None else str(found[0].fields).startswith(reason)
    assert told(found)[-1] == (3 + metadata.count("\n") - 1, 2 + metadata.count("\n"), "last")


def test_a_row_that_is_refused_names_all_of_its_lines() -> None:
    refused: list[tuple[int, str]] = []
    reading = Reading(FactMaker(1.0, UNSCALED), lambda line, reason: refused.append((line, str(reason))), lambda: 1_000)
    content = b's,p,o,1,"{\n""a"": 1,\n""a"": 2}"\n\ns,p,o,7,"{\n}"\ns,p,o,7\n'
    assert [part.facts for part in CSV.parts(io.BufferedReader(io.BytesIO(content)), reading)] == [[], [], []]
    assert [(line, reason.rpartition(": ")[2].rpartition("weight ")[2]) for line, reason in refused] == [
        (1, 'Detected duplicate key "a" at line 3 column 5 (the row ends in line 3)'),
        (5, "must be from 0 to 1, not 7.0 (the row ends in line 6)"),
        (7, "must be from 0 to 1, not 7.0"),
    ]


class Written:
    """A CSV file, and which of its rows nobody has put a stray mark into."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.whole: dict[int, tuple[str, int]] = {}

    def add(self, cells: list[str], marks: list[int]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        row = text.getvalue()[:-1]
        for place in marks:
            before = place % (len(row) + 1)
            row = row[:before] + '"' + row[before:]
        first = len(self.lines) + 1
        self.lines += row.split("\n")
        if not marks:
            self.whole[first] = (cells[0], len(self.lines))


TEXTS = st.sampled_from(["a", "b c", 'the "s"', "x, y", "é", "{", "}", "[1, 2, 3]"])
OBJECTS = st.sampled_from(
    ["", "{}", '{"a": 1}', '{\n  "a": [1, 2, 3],\n  "b": "x, y, z"\n}', "{\n}", '{"a":\n"b,c,d"}\n']
)
ROWS = st.tuples(TEXTS, TEXTS, TEXTS, st.sampled_from(["", "0.5"]), OBJECTS)


@given(st.lists(st.tuples(ROWS, st.lists(st.integers(0, 60), max_size=2)), max_size=9))
def test_every_line_is_stored_or_reported(made: list[tuple[tuple[str, ...], list[int]]]) -> None:
    file = Written()
    for number, (cells, marks) in enumerate(made):
        file.add([f"{cells[0]} {number}", *cells[1:]], marks)
    found = told(rows("\n".join(file.lines)))
    covered = [line for first, last, _ in found for line in range(first, last + 1)]
    assert covered == sorted(set(covered))
    assert set(covered) >= {number for number, line in enumerate(file.lines, start=1) if line}
    # What nobody has damaged is stored, whatever stands before or after it.
    stored = {first: (subject, last) for first, last, subject in found}
    assert file.whole.items() <= stored.items()
