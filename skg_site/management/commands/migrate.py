"""`manage.py migrate`: Django's command with a lock, so that several hosts may start it at the same time."""

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
from filelock import FileLock, Timeout

from skg_site.observe.schema_check import newer_schema
from triples.store.sqlite.wal_removal import set_log_aside

# The number of the advisory lock; nothing else in the database uses it.
_ADVISORY_KEY = 7_777_002
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
        if options["set_log_aside"] and connection.vendor == "sqlite":
            self._set_log_aside()
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        with self._lock(quiet=not options["verbosity"]):
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
    def _lock(self, *, quiet: bool) -> Iterator[None]:
        if connection.vendor == "postgresql":
            yield from self._postgresql_lock(quiet=quiet)
        else:
            yield from self._sqlite_lock(quiet=quiet)

    def _postgresql_lock(self, *, quiet: bool) -> Iterator[None]:
        # The lock belongs to the connection, so a process that dies releases it at once.
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

    def _sqlite_lock(self, *, quiet: bool) -> Iterator[None]:
        lock = FileLock(settings.ENV.state_dir / "migrate.lock", mode=0o600)
        try:
            held = lock.acquire(blocking=False)
        except Timeout:
            self._say_waiting(quiet=quiet)
            held = lock.acquire()
        with held:
            with connection.cursor() as cursor:
                if not connection.introspection.table_names(cursor):
                    # `vacuum` needs this to return free pages in small steps. It must be set before there are tables.
                    cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")
                    cursor.execute("VACUUM")
            yield

    def _say_waiting(self, *, quiet: bool) -> None:
        if not quiet:
            self.stderr.write(_WAITING)
