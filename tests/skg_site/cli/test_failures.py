"""Sentences for errors of the database: they end with what the user may look at."""

import os
import sqlite3
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError
from django.db import OperationalError

from skg_site.cli.failures import database_failures_told, database_sentence
from skg_site.host.files import user_of


def of_sqlite(code: int, text: str) -> Exception:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


def of_django(cause: Exception) -> Exception:
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (of_sqlite(sqlite3.SQLITE_ERROR, "no such table: triples_term"), "Has it been migrated?"),
        (psycopg.errors.UndefinedTable("relation does not exist"), "Has it been migrated?"),
        (of_sqlite(sqlite3.SQLITE_FULL, "database or disk is full"), "Make room there if that is little."),
        (of_sqlite(sqlite3.SQLITE_IOERR_SHMSIZE, "disk I/O error"), "Make room there if that is little."),
        (psycopg.errors.DiskFull("could not extend file"), "Make room on the disk of PostgreSQL's server."),
        (of_sqlite(sqlite3.SQLITE_READONLY, "attempt to write"), "who must be able to write it and its folder."),
        (of_sqlite(sqlite3.SQLITE_BUSY, "database is locked"), "try again, or end that program."),
        (psycopg.OperationalError("connection refused"), "manage.py system_check looks for the cause."),
    ],
)
def test_the_advice_fits_the_error(error: Exception, ending: str) -> None:
    for each in (error, of_django(error)):
        assert database_sentence(each).startswith(f"The database did not do it: {error}. ")
        assert database_sentence(each).endswith(ending)


def test_a_file_of_another_user_is_named_with_both_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "write.lock"
    file.touch()
    owner = os.getuid()
    with pytest.raises(CommandError, match=r"write\.lock: Permission denied\.$"), database_failures_told():
        raise PermissionError(13, "Permission denied", str(file))
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    sentence = f"write.lock: Permission denied. {file} belongs to {user_of(owner)}, and this is {user_of(owner + 1)}."
    for missing in (file, file / "not there"):
        with pytest.raises(CommandError) as caught, database_failures_told():
            raise PermissionError(13, "Permission denied", str(missing))
        assert str(caught.value).endswith(sentence.removeprefix("write.lock: "))


def test_a_full_disk_is_named_with_what_is_free() -> None:
    sentence = database_sentence(of_sqlite(sqlite3.SQLITE_FULL, "database or disk is full"))
    assert " MiB are free on the disk of /" in sentence
