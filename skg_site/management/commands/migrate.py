"""`manage.py migrate`: Django's, which several hosts may start at the same time."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as DjangosCommand
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from skg_site.observe.migrations import newer_schema
from triples.store.sqlite.wal_removal import set_log_aside

# Any number that nothing else in the database locks.
_ADVISORY_KEY = 7_777_002
_WAITING = "Another migrate is under way; waiting for it to end."


class Command(DjangosCommand):
    """Django's own takes no lock: of two that find the same tables missing, one fails when the other has made them."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--set-log-aside",
            action="store_true",
            help="SQLite: move a log aside that does not belong to the database, and lose what only the log holds",
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        # Before Django's checks, which open the database.
        if options["set_log_aside"] and connection.vendor == "sqlite":
            self._set_log_aside()
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        with self._turn(quiet=not options["verbosity"]):
            if (fault := newer_schema(MigrationLoader(connection))) is not None:
                raise CommandError(fault)
            super().handle(*args, **options)

    def _set_log_aside(self) -> None:
        kept = set_log_aside(Path(connection.settings_dict["NAME"]))
        if kept is None:
            sys.stderr.write("The log and the database belong together; nothing was moved.\n")
        else:
            sys.stderr.write(f"The log was moved aside, to {kept}.\n")

    @contextmanager
    def _turn(self, *, quiet: bool) -> Iterator[None]:
        if connection.vendor == "postgresql":
            yield from self._postgresql_turn(quiet=quiet)
        else:
            yield from self._sqlite_turn(quiet=quiet)

    def _postgresql_turn(self, *, quiet: bool) -> Iterator[None]:
        # Held for the connection that migrates: a process that dies gives it back at once.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_KEY])
            if not cursor.fetchone()[0]:
                self._say_waiting(quiet=quiet)
                cursor.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_KEY])
        try:
            yield
        finally:
            if not connection.needs_rollback and connection.is_usable():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY_KEY])

    def _sqlite_turn(self, *, quiet: bool) -> Iterator[None]:
        with (settings.ENV.state_dir / "migrate.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say_waiting(quiet=quiet)
                fcntl.flock(file, fcntl.LOCK_EX)
            with connection.cursor() as cursor:
                if not connection.introspection.table_names(cursor):
                    # So that `vacuum` can give free pages back in small steps; once there are tables it is too late.
                    cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")
                    cursor.execute("VACUUM")
            yield

    def _say_waiting(self, *, quiet: bool) -> None:
        if not quiet:
            self.stderr.write(_WAITING)
