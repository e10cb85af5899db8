"""A database of the other kind, to move to."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import POSTGRESQL_URL, PROCESS
from tests.support.postgresql import TestServer, create_database

_numbers = count()

NewTarget = Callable[[], str]


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The server of the tests or, where they run on SQLite, one of this folder's own."""
    if (url := request.config.stash.get(POSTGRESQL_URL, None)) is not None:
        yield url
        return
    server = TestServer()
    yield server.url
    server.stop()


@pytest.fixture
def empty_database(server_url: str) -> NewTarget:
    """A function that makes an empty database on PostgreSQL; its URL."""
    return lambda: create_database(server_url, f"moved_{PROCESS}_{next(_numbers)}", "template0")


@pytest.fixture
def new_target(request: pytest.FixtureRequest, server_url: str, tmp_path: Path) -> NewTarget:
    """A function that gives the URL of a target of the other kind than what the tests run on."""

    def new() -> str:
        number = next(_numbers)
        if request.config.getoption("--database") == "postgresql":
            return f"sqlite:///{tmp_path}/moved-{number}.db"
        return create_database(server_url, f"moved_{PROCESS}_{number}", "template0")

    return new
