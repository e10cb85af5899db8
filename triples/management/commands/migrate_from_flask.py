"""`manage.py migrate_from_flask OLD_DB`"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser

from skg_site.cli.arguments import argument, seconds, whole_number
from skg_site.cli.exit_codes import FAILED, MISUSED
from skg_site.cli.keys import KEY_FILE_HELP, require_key
from skg_site.cli.service_urls import is_open_to_listeners, parse_service_url
from triples.exchange.checkpoints import CheckpointFile
from triples.exchange.commands import FAILURES, ImportCommand, Told, failure_sentence, report
from triples.exchange.compressions import compression_of
from triples.exchange.destinations import Destination, Nowhere, OwnGraph
from triples.exchange.exporting import Export, Target
from triples.exchange.facts import FactMaker
from triples.exchange.flask_database import opened
from triples.exchange.flask_source import FlaskSource, UnknownFacts
from triples.exchange.formats.ndjson import FORMAT as NDJSON
from triples.exchange.lines import InputError
from triples.exchange.progress import FactProgress
from triples.exchange.summaries import ExportSummary
from triples.visible import visible

LARGEST_BATCH = 100_000


class Command(ImportCommand):
    help = (
        "Bring the facts of the old Flask service's database (SQLite) into this service's graph, or with --to into "
        "that of another service. The old database is only read; the old service may go on meanwhile, and a second "
        "migration brings what it has added. A row that is no fact is reported and left out. A migration that was "
        "interrupted is continued by the same command line. Exit code 0 when the old database was read to its end, "
        "rows that were refused or not; 1 when it was not, or every row was refused; 2 when the command line makes no "
        "sense; 130 after Ctrl-C."
    )
    all_refused = "Every row was refused."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("database", type=Path, metavar="OLD_DB", help="the old service's SQLite file")
        super().add_arguments(parser)
        parser.add_argument(
            "--mark",
            action="store_true",
            help='note in each fact\'s metadata that it was migrated, and when it had been added: "migrated": true, '
            '"created_at"',
        )
        add = parser.add_argument_group("other ways").add_argument
        add(
            "--to",
            type=argument(parse_service_url),
            metavar="URL",
            help="send the facts to the service at this address, as fast as the key's limits let it",
        )
        add("--key-file", type=Path, metavar="FILE", help=f"for --to: {KEY_FILE_HELP}")
        add(
            "--batch-size",
            type=whole_number(LARGEST_BATCH),
            default=100,
            metavar="N",
            help="facts in a request (default: 100)",
        )
        add(
            "--patience",
            type=seconds,
            default=120.0,
            metavar="TIME",
            help="for how long a service that does not answer is tried (default: 2m)",
        )
        add(
            "--back",
            type=Path,
            metavar="FILE",
            help="migrate nothing: write the facts of this service's graph that OLD_DB does not hold as NDJSON, "
            "for the old service to take",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if options["back"] and options["to"]:
            raise CommandError("--back reads this service's own graph: it does not go with --to.", returncode=MISUSED)
        if options["to"] and options["on_duplicate"] == "replace":
            sentence = "A service leaves the duplicates of a batch as they are: --to does not go with replace."
            raise CommandError(sentence, returncode=MISUSED)
        if options["back"]:
            self._write_back(options["back"], options)
        else:
            super().handle(**options)

    def source(self, stack: ExitStack, facts: FactMaker, options: dict[str, Any]) -> FlaskSource:
        return FlaskSource(stack.enter_context(opened(options["database"])), facts, mark=options["mark"])

    def destination(self, stack: ExitStack, progress: FactProgress, options: dict[str, Any]) -> Destination:
        url = options["to"]
        if url is None:
            return OwnGraph(replace=options["on_duplicate"] == "replace", dry_run=options["dry_run"])
        if options["dry_run"]:
            progress.say(f"{url} is not asked what it has already.")
            return Nowhere()
        # Not with the others: the HTTP library takes a while to load.
        from triples.exchange.remote_service import RemoteService  # noqa: PLC0415

        key = require_key(options["key_file"])
        if is_open_to_listeners(url):
            progress.say(f"The key travels to {url} unencrypted; https:// would hide it.")
        service = RemoteService(url, key, batch_size=options["batch_size"], patience=options["patience"])
        return stack.enter_context(service)

    def checkpoints(self, options: dict[str, Any]) -> CheckpointFile:
        identity = [
            str(options["database"].resolve()),
            options["to"] or settings.ENV.database_url,
            settings.ENV.term_pattern,
            options["weight"],
            tuple(options["scale_weights"]),
            options["on_duplicate"],
            options["mark"],
        ]
        return CheckpointFile(settings.ENV.state_dir / "migrations", identity)

    def told(self, options: dict[str, Any]) -> Told:
        return Told(visible(str(options["database"])), "the Flask service's database")

    def place(self, place: tuple[Any, ...]) -> str:
        return f"after row {place[0]:,}"

    def _write_back(self, file: Path, options: dict[str, Any]) -> None:
        """Export the facts that the old database does not hold."""
        failure: BaseException | None = None
        facts = FactMaker(options["weight"], options["scale_weights"])
        with ExitStack() as stack:
            progress = stack.enter_context(FactProgress())
            try:
                unknown = UnknownFacts(stack.enter_context(opened(options["database"])), facts)
            except InputError as error:
                raise CommandError(failure_sentence(error), returncode=FAILED) from error
            target = Target(file, NDJSON, compression_of(file.name))
            job = Export(target, (None, None, None), 0.0, progress, unknown)
            try:
                job.run()
            except FAILURES as error:
                failure = error
            seconds = progress.seconds
        summary = ExportSummary(job.exported, seconds, None if failure is None else failure_sentence(failure))
        report(summary, failure, lambda text: self.stdout.write(text, self.style.SUCCESS), as_json=options["json"])
