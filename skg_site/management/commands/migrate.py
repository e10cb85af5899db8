"""`manage.py migrate`: Django's command with a lock, so that several hosts may start it at the same time."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as DjangosCommand
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from skg_site.observe.schema_check import newer_schema
from triples.store.backend import backend

_WAITING = "Another migrate is under way; waiting for it to end."


class Command(DjangosCommand):
    """Django's own has no lock: of two that find the same tables missing, one fails when the other has made them."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--set-log-aside",
            action="store_true",
            help="SQLite: rename a log that does not belong to the database, and lose what only the log holds",
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        # Before Django's checks, which open the database.
        if options["set_log_aside"] and (done := backend().upkeep.mend_log()) is not None:
            sys.stderr.write(f"{done}\n")
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        with backend().locks.migration_lock(self._say_waiting if options["verbosity"] else lambda: None):
            if (fault := newer_schema(MigrationLoader(connection))) is not None:
                raise CommandError(fault)
            super().handle(*args, **options)

    def _say_waiting(self) -> None:
        self.stderr.write(_WAITING)
