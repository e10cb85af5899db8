"""Messages and exit codes of commands when a database fails or a signal stops them."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import CommandError
from django.db import Error as AnyDatabaseError

from skg_site.cli.departed_readers import reader_departed
from skg_site.cli.exit_codes import FAILED
from skg_site.cli.interrupts import Interrupted, Interrupts
from skg_site.host.refused_writes import refusal
from skg_site.host.unfit_database import UnfitDatabase


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
    return f"The database did not do it: {str(error).strip()}. Has it been migrated?"


@contextmanager
def database_failures_told() -> Iterator[None]:
    """Turn an error of the database into a CommandError."""
    try:
        yield
    except _database_errors() as error:
        raise CommandError(database_sentence(error), returncode=FAILED) from error


def _database_errors() -> tuple[type[Exception], ...]:
    """Django's and those of both drivers. PostgreSQL's takes long to load, and raises none where it is not loaded."""
    postgresql = sys.modules.get("psycopg")
    return (AnyDatabaseError, sqlite3.Error, *(() if postgresql is None else (postgresql.Error,)))


@contextmanager
def failures_told(interrupted: str) -> Iterator[None]:
    """The same for a Failure, for errors of the system, and for signals: then `interrupted` is the message."""
    try:
        with Interrupts().caught(), database_failures_told():
            yield
    except Failure as error:
        raise CommandError(str(error), returncode=error.exit_code) from error
    except Interrupted as error:
        raise CommandError(interrupted, returncode=error.exit_code) from None
    except OSError as error:
        if reader_departed(error):
            raise
        raise CommandError(f"{error.filename or 'It failed'}: {error.strerror or error}.", returncode=FAILED) from error
