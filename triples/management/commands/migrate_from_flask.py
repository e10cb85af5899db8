"""`manage.py migrate_from_flask OLD_DB`"""

from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any, TextIO

import orjson
from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import Error as AnyDatabaseError

from skg_site.cli.arguments import argument, seconds, whole_number
from skg_site.cli.exit_codes import FAILED, MISUSED
from skg_site.cli.failures import database_sentence
from skg_site.cli.interrupts import Interrupted
from skg_site.cli.keys import KEY_FILE_HELP, require_key
from skg_site.cli.service_urls import is_open_to_listeners, parse_service_url
from triples.exchange.arguments import scale_argument, weight_argument
from triples.exchange.checkpoints import Counts
from triples.exchange.facts import UNSCALED, FactMaker
from triples.exchange.importing import Options
from triples.exchange.progress import FactProgress
from triples.exchange.refusals import Refusals
from triples.exchange.summaries import ExportSummary, ImportSummary
from triples.legacy.database import LegacyDatabase, LegacyError, opened
from triples.legacy.destinations import Destination, Nowhere, OwnGraph
from triples.legacy.migration import Migration, Shown, find_start
from triples.legacy.progress import ProgressFile
from triples.legacy.returning import Return
from triples.legacy.service import RemoteService, ServiceError
from triples.visible import visible

LARGEST_BATCH = 100_000
FAILURES = (LegacyError, ServiceError, Interrupted, OSError, AnyDatabaseError)


class Command(BaseCommand):
    # Django's checks load the whole site, and are for the start of the service.
    requires_system_checks = []
    help = (
        "Bring the facts of the old Flask service's database (SQLite) into this service's graph, or with --to into "
        "that of another service. The old database is only read; the old service may go on meanwhile, and a second "
        "migration brings what it has added. A row that is no fact is reported and left out. A migration that was "
        "interrupted is continued by the same command line. Exit code 0 when the old database was read to its end, "
        "rows that were refused or not; 1 when it was not, or every row was refused; 2 when the command line makes no "
        "sense; 130 after Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("database", type=Path, metavar="OLD_DB", help="the old service's SQLite file")
        add = parser.add_argument
        add("--weight", type=weight_argument, default=1.0, help="weight where the old one is NULL (default: 1.0)")
        add(
            "--scale-weights",
            type=scale_argument,
            default=UNSCALED,
            metavar="FROM:TO",
            help="bring weights of this range linearly to 0:1; without it, those outside of 0 to 1 are refused",
        )
        add(
            "--on-duplicate",
            choices=("keep", "replace"),
            default="keep",
            help="a fact that is there: leave it as it is, or give it the old weight and metadata (default: keep)",
        )
        add(
            "--mark",
            action="store_true",
            help='note in each fact\'s metadata that it was migrated, and when it had been added: "migrated": true, '
            '"created_at"',
        )
        add("--errors", type=Path, metavar="FILE", help="write every refused row's number and reason")
        add("--dry-run", action="store_true", help="read and check everything, store nothing")
        add("--restart", action="store_true", help="begin anew where a migration was interrupted")
        add("--json", action="store_true", help="print the summary as JSON")
        self._add_ways(parser)

    def _add_ways(self, parser: CommandParser) -> None:
        ways = parser.add_argument_group("other ways").add_argument
        ways(
            "--to",
            type=argument(parse_service_url),
            metavar="URL",
            help="send the facts to the service at this address, as fast as the key's limits let it",
        )
        ways(
            "--key-file",
            type=Path,
            metavar="FILE",
            help=f"for --to: {KEY_FILE_HELP}",
        )
        ways(
            "--batch-size",
            type=whole_number(LARGEST_BATCH),
            default=100,
            metavar="N",
            help="facts in a request (default: 100)",
        )
        ways(
            "--patience",
            type=seconds,
            default=120.0,
            metavar="TIME",
            help="for how long a service that does not answer is tried (default: 2m)",
        )
        ways(
            "--back",
            type=Path,
            metavar="FILE",
            help="migrate nothing: write the facts of this service's graph that OLD_DB does not hold as NDJSON, "
            "for the old service to take",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        _check_combination(options)
        failure: BaseException | None = None
        with ExitStack() as stack:
            screen = stack.enter_context(FactProgress())
            try:
                database = stack.enter_context(opened(options["database"]))
                job = self._job(stack, database, screen, options)
            except FAILURES as error:
                raise CommandError(_sentence(error), returncode=FAILED) from error
            try:
                job.run()
            except FAILURES as error:
                failure = error
            seconds = screen.seconds
        sentence = _doubt(job) if failure is None else _sentence(failure)
        summary = _summary(job, seconds, options, sentence)
        if options["json"]:
            self.stdout.write(orjson.dumps(summary.content).decode())
        elif not (isinstance(job, Return) and failure):
            self.stdout.write(summary.text, self.style.SUCCESS)
        if sentence is not None:
            code = failure.exit_code if isinstance(failure, Interrupted) else FAILED
            raise CommandError(sentence, returncode=code) from failure

    def _job(
        self, stack: ExitStack, database: LegacyDatabase, screen: FactProgress, options: dict[str, Any]
    ) -> Migration | Return:
        facts = FactMaker(options["weight"], options["scale_weights"])
        if options["back"]:
            return Return(database, options["back"], facts, screen)
        destination = _destination(stack, screen, options)
        progress = None if options["dry_run"] else _progress(options)
        start = None if progress is None or options["restart"] else find_start(progress, database, destination)
        if start is not None:
            screen.say(f"Going on behind row {start.place.rowid:,}; --restart begins anew.")
        errors = stack.enter_context(_errors_file(options["errors"], append=start is not None))
        shown = Shown(screen, Refusals(screen.say, errors))
        return Migration(
            database, destination, shown, facts=facts, mark=options["mark"], progress=progress, start=start
        )


def _check_combination(options: dict[str, Any]) -> None:
    if options["back"] and options["to"]:
        raise CommandError("--back reads this service's own graph: it does not go with --to.", returncode=MISUSED)
    if options["to"] and options["on_duplicate"] == "replace":
        sentence = "A service leaves the duplicates of a batch as they are: --to does not go with replace."
        raise CommandError(sentence, returncode=MISUSED)


def _destination(stack: ExitStack, screen: FactProgress, options: dict[str, Any]) -> Destination:
    url = options["to"]
    if url is None:
        return OwnGraph(replace=options["on_duplicate"] == "replace", dry_run=options["dry_run"])
    if options["dry_run"]:
        screen.say(f"{url} is not asked what it has already.")
        return Nowhere()
    key = require_key(options["key_file"])
    if is_open_to_listeners(url):
        screen.say(f"The key travels to {url} unencrypted; https:// would hide it.")
    return stack.enter_context(RemoteService(url, key, batch_size=options["batch_size"], patience=options["patience"]))


def _progress(options: dict[str, Any]) -> ProgressFile:
    return ProgressFile(
        settings.ENV.state_dir / "migrations",
        str(options["database"].resolve()),
        options["to"] or settings.ENV.database_url,
        settings.ENV.term_pattern,
        options["weight"],
        tuple(options["scale_weights"]),
        options["on_duplicate"],
        options["mark"],
    )


def _errors_file(path: Path | None, *, append: bool) -> AbstractContextManager[TextIO | None]:
    return nullcontext() if path is None else path.open("a" if append else "w", encoding="utf-8", buffering=1)


def _summary(
    job: Migration | Return, seconds: float, options: dict[str, Any], error: str | None
) -> ImportSummary | ExportSummary:
    if isinstance(job, Return):
        return ExportSummary(job.written, seconds, error)
    replaced = options["on_duplicate"] == "replace"
    return ImportSummary(job.counts, job.earlier, seconds, Options(False, replaced, options["dry_run"]), error)


def _doubt(job: Migration | Return) -> str | None:
    """A sentence if everything was read but nothing was accepted."""
    counts = job.counts if isinstance(job, Migration) else Counts()
    return "Every row was refused." if counts.read and counts.refused == counts.read else None


def _sentence(failure: BaseException) -> str:
    match failure:
        case LegacyError():
            return str(failure)
        case ServiceError():
            return f"{failure} The same command line goes on from here."
        case Interrupted():
            return "Interrupted; the same command line goes on from here, or with --back, begins again."
        case OSError():
            return f"{visible(str(failure))}."
        case _:
            return database_sentence(failure)
