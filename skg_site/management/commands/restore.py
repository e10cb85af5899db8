"""`manage.py restore [BACKUP]`"""

from typing import Any

import orjson
from django.core.management import BaseCommand, CommandError, CommandParser

from skg_site.cli.exit_codes import FAILED
from skg_site.cli.failures import failures_told
from skg_site.cli.progress import ProgressBar
from skg_site.cli.prompts import confirm
from skg_site.ops.backups.restoring import Consent, restore


class Command(BaseCommand):
    # Django's checks would open the database that is to be replaced.
    requires_system_checks = []
    help = (
        "Replace the database by a backup. The backup is checked and restored on trial first; the former database is "
        "kept next to the new one. The service must be stopped. Exit code 0 when it is done, 1 when it failed or was "
        "not confirmed, 65 when the backup is damaged, 66 when there is none, 69 when a program or a server is "
        "missing, 75 when the database is in use, 130 after Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "backup",
            nargs="?",
            default="",
            metavar="BACKUP",
            help="a file or s3:// URL; or a folder or s3://bucket/prefix, whose newest is taken (default: as backup)",
        )
        parser.add_argument("--force", action="store_true", help="overwrite a database that is not empty")
        parser.add_argument("--yes", action="store_true", help="overwrite it without asking")
        parser.add_argument("--discard", action="store_true", help="do not keep the former database")
        parser.add_argument(
            "--keep-revocations",
            action="store_true",
            help="keys that were revoked or replaced since the backup stay ended (default: they work again; a list of "
            "them is shown)",
        )
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *_: Any, backup: str, json: bool, force: bool, yes: bool, **options: Any) -> None:
        chosen = {name: options[name] for name in ("discard", "keep_revocations")}
        with failures_told("Interrupted; the database is as it was."), ProgressBar() as progress:
            restored = restore(backup, _consent(force=force, yes=yes), progress.report, **chosen)
        self.stdout.write(orjson.dumps(restored.content).decode() if json else restored.text)


def _consent(*, force: bool, yes: bool) -> Consent:
    def consent(content: str) -> None:
        if not force:
            raise CommandError(f"The database is not empty: {content}. --force overwrites it.", returncode=FAILED)
        if not yes:
            question = f"Overwrite the database, which holds {content}?"
            confirm(question, refusal="Nothing was restored.", yes_means="overwrites")

    return consent
