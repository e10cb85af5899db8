"""`manage.py vacuum`"""

from datetime import timedelta
from typing import Any

import orjson
from django.core.management import CommandError, CommandParser

from skg_site.cli.arguments import argument
from skg_site.cli.base_command import UncheckedCommand
from skg_site.cli.durations import parse_duration
from skg_site.cli.exit_codes import BUSY
from skg_site.cli.failures import failures_told
from skg_site.cli.progress import ProgressBar
from skg_site.host.processes import lower_priority
from skg_site.ops.vacuum import Retention, vacuum
from triples.runs.lease import LeaseTaken

FOREVER = "forever"


@argument
def retention(text: str) -> timedelta | None:
    return None if text == FOREVER else parse_duration(text)


class Command(UncheckedCommand):
    help = (
        "Remove terms that no fact and no rule uses, and old key events and runs; bring the database's statistics up "
        "to date and give its free space back. In small steps, while the service goes on. Exit code 0 when it is done, "
        "1 when it failed, 75 while recursion runs, 130 after Ctrl-C; what was removed by then stays removed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        for name, what, default in (("events", "key events", "365d"), ("runs", "runs of recursion", "90d")):
            parser.add_argument(
                f"--keep-{name}",
                type=retention,
                default=default,
                metavar="TIME",
                help=f"how long {what} are kept: 12h, 365d, {FOREVER} (default: {default})",
            )
        parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and change nothing")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *_: Any, json: bool, dry_run: bool, **options: Any) -> None:
        lower_priority()
        kept = Retention(options["keep_events"], options["keep_runs"])
        with failures_told("Interrupted; what was removed by then stays removed."), ProgressBar() as progress:
            try:
                done = vacuum(kept, progress.report, dry=dry_run)
            except LeaseTaken:
                raise CommandError("Recursion runs; try again when it is done.", returncode=BUSY) from None
        self.stdout.write(orjson.dumps(done.content).decode() if json else done.text)
