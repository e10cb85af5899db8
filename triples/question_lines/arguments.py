"""Arguments and output that the commands `query` and `paths` share."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser

from skg_site.cli.arguments import argument
from skg_site.cli.durations import parse_duration
from skg_site.cli.exit_codes import FAILED, MISUSED
from skg_site.cli.failures import failures_told
from skg_site.cli.tables import table
from triples.exchange.arguments import weight_argument
from triples.query.finding_answers import Expired
from triples.question_lines.faults import FaultyQuestion
from triples.store.operations import ReadTimeout
from triples.visible import visible

FORMATS = ("table", "csv", "tsv", "json")
EXIT_CODES = (
    "Exit code 0 when the question was answered, whether or not anything was found, 1 when it could not be answered, "
    "2 when the command line makes no sense, 130 after Ctrl-C."
)


@argument
def time_limit(text: str) -> float:
    """Seconds, or a length of time with its unit."""
    try:
        seconds = float(text)
    except ValueError:
        return parse_duration(text).total_seconds()
    if not (isfinite(seconds) and seconds >= 0):
        raise ValueError("must be a number of seconds, or a length of time such as 90s or 2m")
    return seconds


def add_shared(parser: CommandParser) -> None:
    add = parser.add_argument
    add("--min-weight", type=weight_argument, metavar="WEIGHT", help="only what is this heavy")
    add("--asserted-only", action="store_true", help="leave out inferred facts")
    add(
        "--timeout",
        type=time_limit,
        default=settings.ENV.query_timeout,
        metavar="SECONDS",
        help="show what was found in this time (default: %(default)g)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--format", dest="form", choices=FORMATS, default="table", help="how to write it (default: table)"
    )
    form.add_argument(
        "--json", action="store_const", const="json", dest="form", help="as --format json: what the API would answer"
    )


def given(document: dict[str, Any]) -> dict[str, Any]:
    """The members of the body whose options were given."""
    return {name: value for name, value in document.items() if value is not None and value is not False and value != []}


def until(seconds: float) -> Expired:
    end = monotonic() + seconds
    return lambda: monotonic() >= end


@contextmanager
def question_refusals_told() -> Iterator[None]:
    """Turn refusals of a question into a CommandError."""
    with failures_told("Interrupted."):
        try:
            yield
        except FaultyQuestion as faulty:
            raise CommandError(str(faulty), returncode=MISUSED) from None
        except ReadTimeout:
            sentence = "The time was over before all answers were seen. Narrow the question, or raise --timeout."
            raise CommandError(sentence, returncode=FAILED) from None


def written(header: Sequence[str], rows: Sequence[Sequence[str | float | None]], form: str) -> str:
    """Rows as a table for people, as CSV or as TSV; no term has a tab or a line end."""
    if form == "table":
        return table([header, *([_shown(cell) for cell in row] for row in rows)])
    if form == "tsv":
        return "\n".join("\t".join("" if cell is None else str(cell) for cell in row) for row in [header, *rows])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().rstrip("\n")


def _shown(cell: str | float | None) -> str:
    if cell is None:
        return ""
    return visible(cell) if isinstance(cell, str) else f"{cell:.6g}"
