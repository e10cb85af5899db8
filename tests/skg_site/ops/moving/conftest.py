"""A database of the other kind, to move to."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from tests.support.postgresql import create_database
from tests.support.several_processes import process_name

_numbers = count()

NewTarget = Callable[[], str]


@pytest.fixture
def empty_database(postgresql: str) -> NewTarget:
    """A function that makes an empty database on PostgreSQL; its URL."""
    return lambda: create_database(postgresql, f"moved_{process_name()}_{next(_numbers)}", "template0")


@pytest.fixture
def new_target(request: pytest.FixtureRequest, postgresql: str, tmp_path: Path) -> NewTarget:
    """A function that gives the URL of a target of the other kind than what the tests run on."""

    def new() -> str:
        number = next(_numbers)
        if request.config.getoption("--database") == "postgresql":
            return f"sqlite:///{tmp_path}/moved-{number}.db"
        return create_database(postgresql, f"moved_{process_name()}_{number}", "template0")

    return new
