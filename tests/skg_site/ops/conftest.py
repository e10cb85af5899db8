"""Databases that operators save, restore and move, by commands as processes."""

import shutil
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import FreshDatabase
from tests.skg_site.ops.backups.databases import FILL, Databases, done, state_folder
from tests.support.environment import service_variables
from tests.support.postgresql import create_database, database_url
from tests.support.several_processes import process_name
from tests.triples.commands.runs import Shell

_copies = count()


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
            copy = create_database(database_url(url, "postgres"), f"filled_{process_name()}_{next(_copies)}", template)
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
