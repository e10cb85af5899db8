"""`manage.py migrate` under way twice: the second waits and says so."""

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import httpx
import psycopg
import pytest

from tests.conftest import FreshDatabase
from tests.support.environment import process_environment, service_variables
from tests.support.processes import PythonProcess
from tests.support.service import Service, manage
from triples.store.postgresql.locks import MIGRATION_KEY

pytestmark = pytest.mark.both


@contextmanager
def another_migrating(folder: Path, database_url: str | None) -> Iterator[None]:
    if database_url is not None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_KEY])
            yield
        return
    state = folder / "skg.state"
    state.mkdir(exist_ok=True)
    with (state / "migrate.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize("quiet", [False, True])
def test_a_second_migrate_waits_for_the_first(fresh_database: FreshDatabase, tmp_path: Path, quiet: bool) -> None:
    database = fresh_database(tmp_path)
    command = ["manage.py", "migrate", "--no-input", f"--verbosity={0 if quiet else 1}"]
    environment = process_environment(service_variables(tmp_path, **database))
    with another_migrating(tmp_path, database.get("database_url")):
        process = PythonProcess(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stderr is not None
        assert process.stdout is not None
        if not quiet:
            assert b"Another migrate is under way" in process.stderr.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert (b"No migrations to apply" in out) is not quiet


def test_a_database_of_newer_code_is_refused(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    one = Service(tmp_path, **fresh_database(tmp_path))
    code = "from django.db import connection; from django.db.migrations.recorder import MigrationRecorder as M;"
    code += "M(connection).record_applied('triples', '0999_later')"
    assert manage("shell", "-v0", "-c", code, variables=one.variables).returncode == 0
    told = "The database was migrated by a newer version of this code (triples 0999_later)."
    refused = manage("migrate", "--no-input", variables=one.variables)
    assert refused.returncode == 1
    assert told in refused.stderr
    assert told in manage("system_check", "--only", "migrations", variables=one.variables).stdout
    one.launch()
    try:
        with one.client() as client:
            ready = answered(client)
    finally:
        one.end()
    assert (ready.status_code, ready.json()["db_connected"]) == (503, True)
    assert told in ready.json()["reason"]
    assert [line["advice"] for line in one.log_lines if line["event"] == "schema_does_not_fit"]


def answered(client: httpx.Client) -> httpx.Response:
    """What /ready says as soon as anything does."""
    deadline = monotonic() + 60
    while monotonic() < deadline:
        try:
            return client.get("/ready")
        except httpx.TransportError:
            sleep(0.05)
    raise AssertionError("no answer")
