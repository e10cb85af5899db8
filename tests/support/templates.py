"""A database that has the tables, of which others are copies: to migrate takes a second and a half, to copy nothing."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db import connection

from tests.support.database import disconnect_all
from tests.support.postgresql import create_database


class Template(Protocol):
    """Shared by all processes of a run; `process` is the name of one, whose own database is the tests'."""

    def copy_from_own(self, process: str) -> None: ...

    def copy_to_own(self, process: str) -> None: ...

    def copy_for_service(self, folder: Path, name: str) -> dict[str, Any]:
        """Make a copy for a service in this folder; by which settings the service finds it."""


class SQLiteTemplate:
    def __init__(self, file: Path) -> None:
        self._file = file

    def copy_from_own(self, process: str) -> None:
        with closing(sqlite3.connect(settings.ENV.db_path)) as own:
            own.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(settings.ENV.db_path, self._file)

    def copy_to_own(self, process: str) -> None:
        shutil.copy(self._file, settings.ENV.db_path)

    def copy_for_service(self, folder: Path, name: str) -> dict[str, Any]:
        shutil.copy(self._file, folder / "skg.db")
        return {}


class PostgreSQLTemplate:
    NAME = "migrated"

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url

    def copy_from_own(self, process: str) -> None:
        # Only a database that nobody is connected to can be copied.
        connection.close_pool()  # type: ignore[attr-defined]  # of PostgreSQL's
        disconnect_all()
        create_database(self._server_url, self.NAME, f"skg_{process}")

    def copy_to_own(self, process: str) -> None:
        create_database(self._server_url, f"skg_{process}", self.NAME)

    def copy_for_service(self, folder: Path, name: str) -> dict[str, Any]:
        return {"database_url": create_database(self._server_url, f"service_{name}", self.NAME)}
