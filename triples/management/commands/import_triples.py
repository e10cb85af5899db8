"""`manage.py import_triples FILE...|-`"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any, TextIO

import orjson
from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import Error as AnyDatabaseError

from skg_site.cli.exit_codes import FAILED, MISUSED
from skg_site.cli.failures import database_failures_told, database_sentence
from skg_site.cli.interrupts import Interrupted
from triples.exchange.arguments import format_named, scale_argument, weight_argument
from triples.exchange.checkpoints import Checkpoint, CheckpointFile, Counts, Place
from triples.exchange.facts import UNSCALED, FactMaker
from triples.exchange.formats import Format
from triples.exchange.importing import Import, Options, StrictStop, find_start
from triples.exchange.inputs import PIPE, Input, find_input
from triples.exchange.lines import InputError
from triples.exchange.progress import FactProgress
from triples.exchange.refusals import Refusals
from triples.exchange.summaries import ImportSummary
from triples.visible import visible


class Command(BaseCommand):
    # Django's checks load the whole site, and are for the start of the service.
    requires_system_checks = []
    help = (
        "Store the facts of files or of a pipe (-): TSV or CSV (subject, predicate, object, and if wanted weight and "
        "metadata as JSON; in any order with a header), or NDJSON with the API's field names; in UTF-8; plain, "
        "gzip or xz. A line that is no fact is reported and left out. An import that was interrupted is continued "
        "by the same command line. Exit code 0 when the input was read to its end, lines that were refused or not; "
        "1 when it was not, or every line was refused; 2 when the command line makes no sense; 130 after Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="what to import; - for standard input")
        parser.add_argument("--format", choices=list(Format), help="what the files are, where their names do not tell")
        parser.add_argument(
            "--weight", type=weight_argument, default=1.0, help="weight of facts that have none (default: %(default)s)"
        )
        parser.add_argument(
            "--scale-weights",
            type=scale_argument,
            default=UNSCALED,
            metavar="FROM:TO",
            help="bring weights of this range linearly to 0:1; write =-2:6 where FROM is negative. "
            "Weights outside of the range are refused, as those outside of 0 to 1 are without this option",
        )
        parser.add_argument(
            "--on-duplicate",
            choices=("keep", "replace"),
            default="keep",
            help="a fact that is there: leave it as it is, or give it the new weight and metadata (default: keep)",
        )
        parser.add_argument(
            "--no-header",
            dest="header",
            action="store_false",
            help="take the first line of TSV and CSV for a fact even where it looks like the names of columns",
        )
        parser.add_argument("--strict", action="store_true", help="stop at the first line that is refused")
        parser.add_argument("--errors", type=Path, metavar="FILE", help="write every refused line's number and reason")
        parser.add_argument("--dry-run", action="store_true", help="read and check everything, store nothing")
        parser.add_argument("--restart", action="store_true", help="begin anew where an import was interrupted")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        inputs = _inputs(options["files"], options["format"])
        checkpoints = None if options["dry_run"] else _checkpoints(inputs, options)
        start = _start(checkpoints, restart=options["restart"])
        failure: BaseException | None = None
        with ExitStack() as stack:
            screen = stack.enter_context(FactProgress())
            screen.expect(_total_bytes(inputs))
            if start is not None:
                screen.say(f"Going on {_told(start.place, inputs)}; --restart begins anew.")
            errors = stack.enter_context(_errors_file(options["errors"], append=start is not None))
            job = Import(
                inputs,
                Options(options["strict"], options["on_duplicate"] == "replace", options["dry_run"], options["header"]),
                facts=FactMaker(options["weight"], options["scale_weights"]),
                screen=screen,
                refusals=Refusals(screen.say, errors),
                checkpoints=checkpoints,
                start=start,
            )
            try:
                job.run()
            except (StrictStop, InputError, Interrupted, OSError, AnyDatabaseError) as error:
                failure = error
            seconds = screen.seconds
        sentence = _sentence(failure, job.counts, continuable=checkpoints is not None)
        summary = ImportSummary(job.counts, job.earlier, seconds, job.options, sentence)
        if options["json"]:
            self.stdout.write(orjson.dumps(summary.content).decode())
        else:
            self.stdout.write(summary.text, self.style.WARNING if job.counts.refused else self.style.SUCCESS)
        if sentence is not None:
            code = failure.exit_code if isinstance(failure, Interrupted) else FAILED
            raise CommandError(sentence, returncode=code) from failure


def _inputs(names: Sequence[str], format_: str | None) -> list[Input]:
    if names.count(PIPE) > 1:
        raise CommandError("Standard input can be named only once.", returncode=MISUSED)
    inputs: list[Input] = []
    for name in names:
        try:
            inputs.append(find_input(name, format_named(name, format_)))
        except InputError as error:
            raise CommandError(f"{error}.", returncode=FAILED) from error
    return inputs


def _checkpoints(inputs: Sequence[Input], options: dict[str, Any]) -> CheckpointFile | None:
    files = [source.file for source in inputs if source.file is not None]
    if len(files) < len(inputs):
        return None
    decisive = {
        "database": settings.ENV.database_url,
        "terms": settings.ENV.term_pattern,
        "formats": [source.format for source in inputs],
        "header": options["header"],
        "weight": options["weight"],
        "scale": list(options["scale_weights"]),
        "on_duplicate": options["on_duplicate"],
    }
    return CheckpointFile(settings.ENV.state_dir / "imports", files, decisive)


def _start(checkpoints: CheckpointFile | None, *, restart: bool) -> Checkpoint | None:
    if checkpoints is None or restart:
        return None
    with database_failures_told():
        return find_start(checkpoints)


def _told(place: Place, inputs: Sequence[Input]) -> str:
    name = inputs[place.input].shown_name
    return f"behind line {place.line:,} of {name}" if place.line else f"at the beginning of {name}"


def _total_bytes(inputs: Sequence[Input]) -> int | None:
    return None if any(source.file is None for source in inputs) else sum(source.size for source in inputs)


def _errors_file(path: Path | None, *, append: bool) -> AbstractContextManager[TextIO | None]:
    if path is None:
        return nullcontext()
    try:
        return path.open("a" if append else "w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise CommandError(f"{visible(str(path))}: {error.strerror}.", returncode=FAILED) from error


def _sentence(failure: BaseException | None, counts: Counts, *, continuable: bool) -> str | None:
    """A sentence about what went wrong and how to go on; None if nothing did."""
    match failure:
        case None:
            all_refused = counts.read > 0 and counts.refused == counts.read
            return "Every line was refused: is the format the right one?" if all_refused else None
        case StrictStop():
            return "Stopped at the first line that was refused; nothing after the facts counted above is stored."
        case InputError():
            return f"{failure}."
        case Interrupted():
            same_line = "goes on from here" if continuable else "passes over what is stored, as duplicates"
            return f"Interrupted; the same command line {same_line}."
        case OSError():
            return f"{visible(str(failure))}."
        case _:
            return database_sentence(failure)
