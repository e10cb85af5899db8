"""A PgBouncer in transaction pooling, before a PostgreSQL server of the tests."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from tests.support.service import free_port
from tests.support.standby import ACCOUNT
from tests.support.tools import require_tool

_SECONDS = 15


class PgBouncer:
    """A process with its files in a temporary folder, until `end`."""

    def __init__(self, server_url: str, **settings: object) -> None:
        self._program = require_tool("pgbouncer")
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="skg-pgbouncer-"))
        [socket_folder] = parse_qs(urlsplit(server_url).query)["host"]
        chosen = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": "transaction",
            # Fewer than the clients, so that transactions of one client are on several of them.
            "default_pool_size": 8,
            "max_client_conn": 200,
            "server_fast_close": 1,
        } | settings
        lines = [f"{name} = {value}" for name, value in chosen.items()]
        self._file = self._folder / "pgbouncer.ini"
        text = f"[databases]\n* = host={socket_folder} user=postgres\n[pgbouncer]\n" + "\n".join(lines) + "\n"
        self._file.write_text(text)
        self._file.chmod(0o644)
        self._folder.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        # It refuses to be root; the server's account may use the server's socket.
        user = ACCOUNT if os.geteuid() == 0 else None
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([self._program, self._file], stdout=log, stderr=log, user=user)
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.02)
        raise AssertionError((self._folder / "log").read_text()[-2000:])

    def stop(self) -> None:
        """At once: whatever is under way breaks."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_SECONDS)
            self._process = None

    def end(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
