"""A database of the other kind, to move to."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from tests.support.environment import service_variables
from tests.support.postgresql import create_database
from tests.support.service import manage
from tests.support.several_processes import process_name

_numbers = count()

NewTarget = Callable[[], str]


@pytest.fixture(scope="session")
def migrated(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated database on PostgreSQL, to be copied: migrating takes seconds."""
    name = f"to_move_to_{process_name()}"
    variables = service_variables(tmp_path_factory.mktemp("migrated"), database_url=create_database(postgresql, name))
    done = manage("migrate", "--no-input", variables=variables)
    assert done.returncode == 0, done.stderr
    return name


@pytest.fixture
def empty_database(postgresql: str) -> NewTarget:
    """A function that makes an empty database on PostgreSQL; its URL."""
    return lambda: create_database(postgresql, f"moved_{process_name()}_{next(_numbers)}", "template0")


@pytest.fixture
def new_target(request: pytest.FixtureRequest, tmp_path: Path) -> NewTarget:
    """A function that gives the URL of a target of the other kind than what the tests run on.

    On PostgreSQL it has its tables already, as after a copy that was killed before it copied anything.
    """
    if request.config.getoption("--database") == "postgresql":
        return lambda: f"sqlite:///{tmp_path}/moved-{next(_numbers)}.db"
    server_url, template = request.getfixturevalue("postgresql"), request.getfixturevalue("migrated")
    return lambda: create_database(server_url, f"moved_{process_name()}_{next(_numbers)}", template)
