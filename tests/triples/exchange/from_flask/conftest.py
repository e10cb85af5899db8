"""Fixtures of the tests of migrations."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.triples.exchange.from_flask.old import TABLE, add


@pytest.fixture(autouse=True)
def _no_migration_is_under_way() -> Iterator[None]:
    yield
    shutil.rmtree(settings.ENV.state_dir / "migrations", ignore_errors=True)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """An old database with ten facts."""
    path = tmp_path / "legacy.db"
    connection = sqlite3.connect(path)
    connection.execute(TABLE)
    connection.close()
    add(path, *((f"s{number}", "p", "o", number / 10, "{}") for number in range(10)))
    return path
