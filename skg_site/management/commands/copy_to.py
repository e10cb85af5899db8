"""`manage.py copy_to DATABASE_URL`"""

import sys
from argparse import ArgumentTypeError
from typing import Any

import orjson
from django.core.management import CommandParser

from skg_site.cli.arguments import seconds
from skg_site.cli.base_command import UncheckedCommand
from skg_site.cli.failures import failures_told
from skg_site.cli.progress import ProgressBar
from skg_site.cli.prompts import confirm
from skg_site.ops.moving.copying import Mover
from skg_site.ops.moving.outcomes import Moved, Plan, TakenBack
from skg_site.ops.moving.taking_back import take_back
from skg_site.ops.moving.targets import Target


def _target(text: str) -> Target:
    try:
        return Target.parse(sys.stdin.readline().strip() if text == "-" else text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


class Command(UncheckedCommand):
    help = (
        "Move the graph to another database, with its keys, rules, runs, users and inferred facts, while the service "
        "goes on. All ids stay the same. At the end, writes are stopped for a moment, and refused here from then on; "
        "restart the service with the new database. The same command goes on with a copy that was broken off. Exit "
        "code 0 when it is done, 1 when it was refused or failed, 65 when the copy is not like the source, 75 when "
        "another copy is under way or writers would have to wait too long, 130 after Ctrl-C. Unless the graph has "
        "moved, the source is as it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "target",
            type=_target,
            metavar="DATABASE_URL",
            help="postgresql://user@host/name (an empty database; the password may be in PGPASSFILE), or "
            "sqlite:///PATH (a new file); - to read it from standard input",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
        parser.add_argument("--restart", action="store_true", help="delete an unfinished copy, and begin anew")
        parser.add_argument(
            "--longest-stop",
            type=seconds,
            default=30.0,
            metavar="TIME",
            help="how long writers may have to wait at the end, such as 5s (default: 30s)",
        )
        parser.add_argument(
            "--take-back",
            action="store_true",
            help="take the graph back from this target, if nothing was written there: writes are stored here again",
        )
        parser.add_argument(
            "--lose-changes", action="store_true", help="with --take-back: also if something was written there"
        )
        parser.add_argument("--yes", action="store_true", help="do it without asking")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *_: Any, json: bool, **options: Any) -> None:
        interrupted = (
            "Interrupted. Unless it said that the graph moves, writes are stored here as before; the same command goes "
            "on with the copy."
        )
        with failures_told(interrupted), ProgressBar() as bar:
            outcome = self._done(bar, **options)
        self.stdout.write(orjson.dumps(outcome.content).decode() if json else outcome.text)

    def _done(self, bar: ProgressBar, *, target: Target, yes: bool, **options: Any) -> Moved | Plan | TakenBack:
        if options["take_back"]:
            if not yes:
                confirm("Take the graph back to this database?", refusal="Nothing was changed.")
            return take_back(target, lose_changes=options["lose_changes"])
        mover = Mover(target, bar, options["longest_stop"], options["restart"])
        if options["dry_run"]:
            return mover.plan()

        def consent(source: str, name: str) -> None:
            if not yes:
                question = f"Move the graph from {source} to {name}? Writes will be refused here afterwards."
                confirm(question, refusal="Nothing was copied.")

        return mover.move(consent)
