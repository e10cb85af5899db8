import pytest

from tests.conftest import FreshDatabase
from tests.support.environment import service_variables
from tests.triples.commands.runs import Shell


@pytest.fixture
def shell(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("shell")
    return Shell(service_variables(folder, **fresh_database(folder)))
