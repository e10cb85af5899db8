"""Messages and exit codes of commands when a database fails or a signal stops them."""

import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import CommandError
from django.db import Error as AnyDatabaseError

from skg_site.cli.departed_readers import reader_departed
from skg_site.cli.exit_codes import FAILED
from skg_site.cli.interrupts import Interrupted, Interrupts
from skg_site.host.files import denial, owned
from skg_site.host.refused_writes import refusal
from skg_site.host.unfit_database import UnfitDatabase

# PostgreSQL's undefined_table, undefined_column and invalid_schema_name.
_NOT_MIGRATED = {"42P01", "42703", "3F000"}
_DISK_FULL = "53100"


class Failure(Exception):
    """A command cannot do its work. The message is a sentence for the user; the exit code tells programs the kind."""

    def __init__(self, sentence: str, exit_code: int = FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def database_sentence(error: BaseException) -> str:
    if isinstance(error, UnfitDatabase):
        return str(error)
    if (sentence := refusal(error)) is not None:
        return sentence
    return f"The database did not do it: {str(error).strip().removesuffix('.')}. {_advice(error)}"


def _advice(error: BaseException) -> str:
    """What the user may look at, by the code of the driver's error."""
    cause = error.__cause__ or error
    # The lower byte is the kind of an error of SQLite, such as that of the disk; the upper one says more.
    kind = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    state = getattr(cause, "sqlstate", None)
    if state in _NOT_MIGRATED or str(cause).startswith("no such "):
        return "Has it been migrated?"
    if state == _DISK_FULL:
        return "Make room on the disk of PostgreSQL's server."
    if kind in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        path = settings.ENV.db_path
        free = shutil.disk_usage(path.parent).free >> 20
        return f"{free:,} MiB are free on the disk of {path}. Make room there if that is little."
    if kind in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}:
        path = settings.ENV.db_path
        place = next(each for each in (path, *path.parents) if each.exists())
        return f"{owned(place)}, who must be able to write it and its folder."
    if kind in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return "Another program writes to it; try again, or end that program."
    return "manage.py system_check looks for the cause."


@contextmanager
def database_failures_told() -> Iterator[None]:
    """Turn an error of the database, or of a file beside it, into a CommandError."""
    try:
        yield
    except _database_errors() as error:
        raise CommandError(database_sentence(error), returncode=FAILED) from error
    except OSError as error:
        if reader_departed(error):
            raise
        sentence = f"{error.filename or 'It failed'}: {error.strerror or error}.{denial(error)}"
        raise CommandError(sentence, returncode=FAILED) from error


def _database_errors() -> tuple[type[Exception], ...]:
    """Django's and those of both drivers. PostgreSQL's takes long to load, and raises none where it is not loaded."""
    postgresql = sys.modules.get("psycopg")
    return (AnyDatabaseError, sqlite3.Error, *(() if postgresql is None else (postgresql.Error,)))


@contextmanager
def failures_told(interrupted: str, done: Callable[[], str] | None = None) -> Iterator[None]:
    """The same for a Failure, and for signals: then `interrupted` is the message.

    What `done` returns, unless that is empty, is added: a sentence that says what was done by then and stays.
    """
    try:
        with _failures_told(interrupted):
            yield
    except CommandError as error:
        sentence = "" if done is None else done()
        if not sentence:
            raise
        raise CommandError(f"{error} {sentence}", returncode=error.returncode) from error


@contextmanager
def _failures_told(interrupted: str) -> Iterator[None]:
    try:
        with Interrupts().caught(), database_failures_told():
            yield
    except Failure as error:
        raise CommandError(str(error), returncode=error.exit_code) from error
    except Interrupted as error:
        raise CommandError(interrupted, returncode=error.exit_code) from None
