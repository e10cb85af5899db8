"""`manage.py backup`"""

from typing import Any

import orjson
from django.core.management import CommandParser

from skg_site.cli.arguments import whole_number
from skg_site.cli.base_command import UncheckedCommand
from skg_site.cli.failures import failures_told
from skg_site.cli.progress import ProgressBar
from skg_site.host.processes import lower_priority
from skg_site.ops.backups.taking import backup


class Command(UncheckedCommand):
    help = (
        "Save the database (facts, keys, rules, users; not the inferred facts, which recurse derives again) as of one "
        "moment, while the service goes on writing. The backup is restored on trial and counted before it gets its "
        "name; its SHA-256 is stored next to it. Exit code 0 when it is done, 1 when it failed, 65 when the backup "
        "could not be restored, 69 when a program or a server is missing, 75 when another backup is under way, 130 "
        "after Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to",
            default="",
            metavar="PLACE",
            help="a folder, or s3://bucket/prefix (default: SKG_BACKUP_DIR, else the folder backups of the state)",
        )
        parser.add_argument(
            "--keep",
            type=whole_number(),
            metavar="N",
            help="remove all but the newest N backups of this database from there",
        )
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *_: Any, to: str, keep: int | None, json: bool, **__: Any) -> None:
        lower_priority()
        with failures_told("Interrupted; no backup was made."), ProgressBar() as progress:
            taken = backup(to, keep, progress.report)
        self.stdout.write(orjson.dumps(taken.content).decode() if json else taken.text)
