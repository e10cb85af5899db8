"""What the commands make of what goes wrong: a sentence and an exit code."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management import CommandError
from django.db import Error as AnyDatabaseError

from skg_site.cli.interrupts import Interrupted, Interrupts
from skg_site.ops.backups.failures import FAILED, BackupFailure
from triples.exchange.summaries import database_sentence


@contextmanager
def failures_told(interrupted: str) -> Iterator[None]:
    """`interrupted` is the sentence for who pressed Ctrl-C."""
    try:
        with Interrupts().caught():
            yield
    except BackupFailure as failure:
        raise CommandError(str(failure), returncode=failure.exit_code) from failure
    except Interrupted as told:
        raise CommandError(interrupted, returncode=told.exit_code) from None
    except (AnyDatabaseError, psycopg.Error, sqlite3.Error) as error:
        raise CommandError(database_sentence(error), returncode=FAILED) from error
    except OSError as error:
        raise CommandError(f"{error.filename or 'It failed'}: {error.strerror or error}.", returncode=FAILED) from error
