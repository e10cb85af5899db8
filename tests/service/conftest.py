"""Two hosts: services with nothing in common but a PostgreSQL and a Valkey."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import FreshDatabase
from tests.service.wire import Wire
from tests.support.environment import service_variables
from tests.support.postgresql import create_database
from tests.support.service import Service, manage
from tests.support.valkey import ValkeyServer

_numbers = itertools.count()


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


@pytest.fixture(scope="session")
def wired(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests of what arrives at the socket: one worker, small limits, and no failure in its log."""
    folder = tmp_path_factory.mktemp("wired")
    settings: dict[str, Any] = {"workers": 1, "body_timeout": 1, "max_body_bytes": 65_536, "rate_limit": "0"}
    settings["trusted_proxies"] = ["127.0.0.1"]
    one = Service(folder, **settings | fresh_database(folder), measured=True)
    one.start()
    yield one
    one.end()
    assert "Traceback" not in one.log_text
    assert "uncaught_error" not in one.log_text


Connect = Callable[..., Wire]


@pytest.fixture
def running(wired: Service) -> Service:
    """The service that `connect` connects to. A module may have one of its own."""
    return wired


@pytest.fixture
def connect(running: Service) -> Iterator[Connect]:
    """A function that makes a connection, closed after the test."""
    wires: list[Wire] = []

    def make(**options: Any) -> Wire:
        wires.append(Wire(running, **options))
        return wires[-1]

    yield make
    for wire in wires:
        wire.close()
