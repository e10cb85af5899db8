"""The base of the commands for imports and exports: options, progress, reports, summaries and exit codes."""

from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import orjson
from django.core.management import CommandError, CommandParser
from django.db import Error as AnyDatabaseError

from skg_site.cli.base_command import UncheckedCommand
from skg_site.cli.exit_codes import FAILED, MISUSED
from skg_site.cli.failures import database_sentence
from skg_site.cli.interrupts import Interrupted
from skg_site.cli.prompts import user_name
from skg_site.host.files import denial
from triples.exchange.arguments import scale_argument, weight_argument
from triples.exchange.checkpoints import CheckpointFile
from triples.exchange.destinations import Destination, DestinationError, OwnGraph
from triples.exchange.facts import UNSCALED, FactMaker
from triples.exchange.formats.base import Unwritable
from triples.exchange.importing import Import, MostRefused, Source, StrictStop, find_start
from triples.exchange.lines import InputError, unreadable
from triples.exchange.progress import FactProgress
from triples.exchange.recording import Recording
from triples.exchange.refusals import Refusals
from triples.exchange.summaries import ExportSummary, ImportSummary
from triples.import_runs import ImportRun
from triples.services.imports import ImportUndone, import_begin, import_continue, import_working
from triples.visible import visible

FAILURES = (
    StrictStop,
    MostRefused,
    InputError,
    DestinationError,
    Interrupted,
    MemoryError,
    OSError,
    AnyDatabaseError,
)


class Told(NamedTuple):
    """The input of an import, in words."""

    source: str
    format_name: str


class ImportCommand(UncheckedCommand):
    all_refused: str
    progress: FactProgress
    # None in a dry run, and if the facts go elsewhere.
    recording: Recording | None = None

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--weight", type=weight_argument, default=1.0, help="weight of facts that have none (default: 1.0)")
        add(
            "--scale-weights",
            type=scale_argument,
            default=UNSCALED,
            metavar="FROM:TO",
            help="bring weights of this range linearly to 0:1; write =-2:6 where FROM is negative. "
            "Weights outside of the range are refused, as those outside of 0 to 1 are without this option",
        )
        add(
            "--on-duplicate",
            choices=("keep", "replace"),
            default="keep",
            help="a fact that is there: leave it as it is, or give it the new weight and metadata (default: keep)",
        )
        add("--errors", type=Path, metavar="FILE", help="write the number of every refused record, and the reason")
        add("--dry-run", action="store_true", help="read and check everything, store nothing")
        add("--restart", action="store_true", help="begin anew where the command was interrupted")
        add("--json", action="store_true", help="print the summary as JSON")

    @abstractmethod
    def source(self, stack: ExitStack, facts: FactMaker, options: dict[str, Any]) -> Source: ...

    @abstractmethod
    def destination(self, stack: ExitStack, progress: FactProgress, options: dict[str, Any]) -> Destination: ...

    @abstractmethod
    def checkpoints(self, options: dict[str, Any]) -> CheckpointFile | None:
        """The file for the progress; None for an import that cannot be continued."""

    @abstractmethod
    def told(self, options: dict[str, Any]) -> Told:
        """The description of the input in the row of the import."""

    @abstractmethod
    def place(self, place: tuple[Any, ...]) -> str:
        """A phrase for the place where an import continues."""

    def handle(self, *_: Any, **options: Any) -> None:
        failure: BaseException | None = None
        with ExitStack() as stack:
            progress = stack.enter_context(FactProgress())
            try:
                job = self._job(stack, progress, options)
            except FAILURES as error:
                raise CommandError(failure_sentence(error), returncode=FAILED) from error
            try:
                job.run()
            except FAILURES as error:
                failure = error
            seconds = progress.seconds
        counts, sentence, recording = job.counts, None, self.recording
        if failure is not None:
            again = "passes over what is stored, as duplicates" if job.checkpoints is None else "goes on from here"
            sentence = failure_sentence(failure, again)
        elif counts.read and counts.refused == counts.read:
            sentence = self.all_refused
        replaced = options["on_duplicate"] == "replace"
        if recording is not None:
            recording.end(sentence, job.first_refused)
        run_id = None if recording is None else recording.run_id
        summary = ImportSummary(counts, job.earlier, seconds, replaced, options["dry_run"], sentence, run_id)
        style = self.style.WARNING if counts.refused else self.style.SUCCESS
        report(summary, failure, lambda text: self.stdout.write(text, style), as_json=options["json"])

    def _job(self, stack: ExitStack, progress: FactProgress, options: dict[str, Any]) -> Import:
        self.progress = progress
        source = self.source(stack, FactMaker(options["weight"], options["scale_weights"]), options)
        destination = self.destination(stack, progress, options)
        checkpoints = None if options["dry_run"] else self.checkpoints(options)
        start = None
        if checkpoints is not None and not options["restart"]:
            start = find_start(checkpoints, source, destination)
        if start is not None:
            progress.say(f"Going on {self.place(start.place)}; --restart begins anew.")
        if isinstance(destination, OwnGraph) and not options["dry_run"]:
            self.recording = self._recording(destination, options)
            stack.enter_context(import_working(run_id=self.recording.run_id))
        errors = stack.enter_context(_errors_file(options["errors"], append=start is not None))
        job = Import(
            source,
            destination,
            progress=progress,
            refusals=Refusals(progress.say, errors),
            strict=options.get("strict", False),
            checkpoints=checkpoints,
            start=start,
        )
        job.journal = self.recording
        return job

    def _recording(self, destination: OwnGraph, options: dict[str, Any]) -> Recording:
        """The row of the import: a new one, or that of the import that is continued."""
        if destination.run_id:
            try:
                return Recording(import_continue(run_id=destination.run_id), destination)
            except (ImportUndone, ImportRun.DoesNotExist):
                pass
        source, format_name = self.told(options)
        kept = {name: options[name] for name in ("weight", "on_duplicate")}
        run = import_begin(
            source=source, format_name=format_name, requested_by=f"command by {user_name()}", options=kept
        )
        return Recording(run, destination)


def report(
    summary: ImportSummary | ExportSummary,
    failure: BaseException | None,
    write: Callable[[str], None],
    *,
    as_json: bool,
) -> None:
    """Print the summary; then raise a CommandError with its error, if it has one."""
    if as_json:
        write(orjson.dumps(summary.content).decode())
    elif failure is None or isinstance(summary, ImportSummary):
        write(summary.text)
    if summary.error is not None:
        code = MISUSED if isinstance(failure, Unwritable) else FAILED
        code = failure.exit_code if isinstance(failure, Interrupted) else code
        raise CommandError(summary.error, returncode=code) from failure


def failure_sentence(failure: BaseException, again: str = "begins again") -> str:
    """The message for a failure. `again` says what the same command line does next."""
    if isinstance(failure, MemoryError):
        failure = InputError(f"The file {unreadable(failure)}")
    match failure:
        case StrictStop():
            return "Stopped at the first line that was refused; nothing after the counted facts is stored."
        case InputError() | MostRefused():
            return f"{failure}."
        case DestinationError():
            return f"{failure} The same command line goes on from here."
        case Interrupted():
            return f"Interrupted; the same command line {again}."
        case OSError():
            return f"{visible(str(failure))}.{visible(denial(failure))}"
        case _:
            return database_sentence(failure)


def _errors_file(path: Path | None, *, append: bool) -> AbstractContextManager[TextIO | None]:
    if path is None:
        return nullcontext()
    try:
        return path.open("a" if append else "w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise CommandError(f"{visible(str(path))}: {error.strerror}.", returncode=FAILED) from error
