"""Two hosts: services with nothing in common but a PostgreSQL and a Valkey."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import POSTGRESQL_URL
from tests.support.environment import service_variables
from tests.support.postgresql import TestServer, create_database
from tests.support.service import Service, manage
from tests.support.valkey import ValkeyServer

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Iterator[str]:
    """A PostgreSQL server's URL, whatever the other tests run on."""
    if POSTGRESQL_URL in request.config.stash:
        yield request.config.stash[POSTGRESQL_URL]
        return
    server = TestServer()
    yield server.url
    server.stop()


NewDatabase = Callable[[], str]


@pytest.fixture
def new_database(postgresql: str) -> NewDatabase:
    """A function that makes an empty database, and returns its URL."""
    return lambda: create_database(postgresql, f"hosts_{next(_numbers)}")


@pytest.fixture(scope="session")
def migrated(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database that has the tables, to be copied."""
    name = f"hosts_{next(_numbers)}"
    url = create_database(postgresql, name)
    done = manage(
        "migrate", "--no-input", variables=service_variables(tmp_path_factory.mktemp("migrated"), database_url=url)
    )
    assert done.returncode == 0, done.stderr
    return name


StartHosts = Callable[..., list[Service]]


@pytest.fixture
def hosts(
    postgresql: str, migrated: str, valkey_server: ValkeyServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartHosts]:
    """A function that starts two services, each in a folder of its own, on one database and one Valkey."""
    started: list[Service] = []

    def start(**settings: Any) -> list[Service]:
        database_url = create_database(postgresql, f"hosts_{next(_numbers)}", migrated)
        shared = {"database_url": database_url, "redis_url": valkey_server.url}
        both = [Service(tmp_path_factory.mktemp("host"), **shared | settings) for _ in range(2)]
        started.extend(both)
        for one in both:
            one.launch()
        for one in both:
            one.wait_until_ready()
        return both

    yield start
    for one in started:
        one.end()
