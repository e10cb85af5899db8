"""Weights of the old database: whatever its column was given, taken as a number or refused with what is wrong."""

import math
from pathlib import Path

import pytest

from tests.triples.commands.runs import counts
from tests.triples.exchange.from_flask.old import add, migrated
from tests.triples.store.graphs import stored_rows

pytestmark = pytest.mark.usefixtures("database")

REFUSED = [
    (("c1", "p", "o", float("inf"), "{}"), "weight must be from 0 to 1, not inf"),
    (("c2", "p", "o", float("-inf"), "{}"), "weight must be from 0 to 1, not -inf"),
    (("c3", "p", "o", -1, "{}"), "weight must be from 0 to 1, not -1.0"),
    (("c4", "p", "o", 2**62, "{}"), "weight must be from 0 to 1, not 4.611686018427388e+18"),
    (("c5", "p", "o", "0,5", "{}"), "weight must be a number such as 0.5, not '0,5'"),
    (("c6", "p", "o", "nan", "{}"), "weight must be a number such as 0.5, not 'nan'"),
    (("c7", "p", "o", "NULL", "{}"), "weight must be a number such as 0.5, not 'NULL'"),
    (("c8", "p", "o", "[0.5]", "{}"), "weight must be a number such as 0.5, not '[0.5]'"),
    (("c9", "p", "o", b"\xff", "{}"), "weight is not UTF-8 at byte 1"),
]


def test_what_is_no_weight_is_told_with_what_is_wrong(old: Path, tmp_path: Path) -> None:
    add(old, *(row for row, _ in REFUSED))
    errors = tmp_path / "errors.txt"
    assert migrated(old, "--errors", str(errors)).counts == counts(10 + len(REFUSED), 10, refused=len(REFUSED))
    assert errors.read_text().splitlines() == [
        f"row:{number}: {reason}" for number, (_, reason) in enumerate(REFUSED, 11)
    ]


def test_a_weight_is_whatever_the_column_was_given_as_a_number(old: Path) -> None:
    given = {"whole": 1, "text": " 0.25", "exponent": "2.5e-1", "zero": -0.0, "empty": "", "not a number": math.nan}
    add(old, *((subject, "weighs", "o", weight, "{}") for subject, weight in given.items()))
    assert migrated(old, "--weight", "0.75").error is None
    rows = {subject: row.weight for (subject, predicate, _), row in stored_rows().items() if predicate == "weighs"}
    # SQLite keeps NaN as NULL.
    expected = {"whole": 1.0, "text": 0.25, "exponent": 0.25, "zero": 0.0, "empty": 0.75, "not a number": 0.75}
    assert repr(sorted(rows.items())) == repr(sorted(expected.items()))
