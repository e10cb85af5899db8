"""Fixtures of the tests of the commands."""

import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.conftest import FreshDatabase
from tests.support.environment import service_variables
from tests.triples.commands.runs import Shell


@pytest.fixture(autouse=True)
def _no_import_is_under_way() -> Iterator[None]:
    """Checkpoints of imports that a test stopped are none of the next one's."""
    yield
    shutil.rmtree(settings.ENV.state_dir / "imports", ignore_errors=True)


@pytest.fixture
def shell(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("shell")
    return Shell(service_variables(folder, **fresh_database(folder)))
