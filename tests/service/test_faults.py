"""What was acknowledged is kept, whatever happens to the service, its database or its disk while clients write.

FAULT_WORKERS, FAULT_CLIENTS, FAULT_SECONDS (of load before the fault and after it) and FAULT_LASTS (how long a lock, a
full disk or a standstill lasts) make the run larger than the suite has time for; with --log-cli-level=INFO it says how
many facts were acknowledged and found.
"""

import asyncio
import logging
import os
import random
import signal
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from skg_site.host.processes import is_alive
from tests.service.load import (
    assert_each_request_is_whole_or_missing,
    assert_statistics_are_true,
    assert_terms_are_found,
    stored_facts,
    writing,
)
from tests.service.test_full_disk import limit_files
from tests.support.environment import service_variables
from tests.support.memory import DISK
from tests.support.postgresql import TestServer, create_database
from tests.support.service import Service, manage

WORKERS = int(os.environ.get("FAULT_WORKERS", "2"))
CLIENTS = int(os.environ.get("FAULT_CLIENTS", "8"))
SECONDS = float(os.environ.get("FAULT_SECONDS", "0.7"))
LASTS = float(os.environ.get("FAULT_LASTS", "1"))
UNLIMITED = -1

log = logging.getLogger(__name__)


@dataclass
class Scene:
    """A service under load, and the server of its database where it has one."""

    one: Service
    server: TestServer | None = None

    def signal_master(self, number: int) -> None:
        assert self.one.process is not None
        self.one.process.send_signal(number)

    @property
    def postgresql(self) -> int:
        """The process id of the database server's first process."""
        assert self.server is not None
        return self.server.process_id


async def until_gone(*process_ids: int) -> None:
    async with asyncio.timeout(60):
        while any(is_alive(process_id) for process_id in process_ids):
            await asyncio.sleep(0.05)


async def lose_a_worker(scene: Scene) -> None:
    os.kill(random.choice(scene.one.workers), signal.SIGKILL)


async def lose_the_master(scene: Scene) -> None:
    """The workers notice and stop; until then they answer."""
    workers = scene.one.workers
    scene.signal_master(signal.SIGKILL)
    await until_gone(*workers)


async def lose_everything(scene: Scene) -> None:
    scene.one.kill()


async def stop(scene: Scene) -> None:
    scene.signal_master(signal.SIGTERM)
    assert scene.one.process is not None
    assert await asyncio.to_thread(scene.one.process.wait, 40) == 0


async def reload(scene: Scene) -> None:
    before = set(scene.one.workers)
    scene.signal_master(signal.SIGHUP)
    async with asyncio.timeout(60):
        while before & set(scene.one.workers) or len(scene.one.workers) < WORKERS:
            await asyncio.sleep(0.1)


async def lock_the_file(scene: Scene) -> None:
    """By another program, which does not wait in the service's queue."""
    with closing(sqlite3.connect(scene.one.variables["SKG_DB_PATH"], isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(LASTS)
        other.execute("ROLLBACK")


async def fill_the_disk(scene: Scene) -> None:
    # SQLite may write its log anew from the beginning.
    limit_files(scene.one, _log_bytes(scene) // 2)
    await asyncio.sleep(LASTS)
    limit_files(scene.one, UNLIMITED)


def _log_bytes(scene: Scene) -> int:
    return Path(f"{scene.one.variables['SKG_DB_PATH']}-wal").stat().st_size


async def restart_postgresql(scene: Scene) -> None:
    await _start_again(scene, signal.SIGINT)


async def crash_postgresql(scene: Scene) -> None:
    """All of its processes end at once, and the next start recovers."""
    await _start_again(scene, signal.SIGQUIT)


async def _start_again(scene: Scene, number: int) -> None:
    first = scene.postgresql
    os.kill(first, number)
    await until_gone(first)
    assert scene.server is not None
    await asyncio.to_thread(scene.server.start_again)


async def freeze_postgresql(scene: Scene) -> None:
    first = scene.postgresql
    all_ = [first, *children(first)]
    for process_id in all_:
        os.kill(process_id, signal.SIGSTOP)
    try:
        await asyncio.sleep(LASTS)
    finally:
        for process_id in all_:
            os.kill(process_id, signal.SIGCONT)


def children(process_id: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]


Fault = Callable[[Scene], Awaitable[None]]


def name_of(fault: Fault) -> str:
    return str(getattr(fault, "__name__", fault))


EVERYWHERE: list[Fault] = [lose_a_worker, lose_the_master, lose_everything, stop, reload]
FAULTS = {
    "sqlite": [*EVERYWHERE, lock_the_file, fill_the_disk],
    "postgresql": [*EVERYWHERE, restart_postgresql, crash_postgresql, freeze_postgresql],
}
# What is answered besides, where clients are not just cut off.
REFUSES = {fill_the_disk, restart_postgresql, crash_postgresql, freeze_postgresql, lock_the_file}


@pytest.fixture(scope="module")
def on_sqlite() -> Iterator[Scene]:
    with TemporaryDirectory(prefix="skg-tests-", dir=DISK) as name:
        folder = Path(name)
        variables = service_variables(folder)
        assert manage("migrate", "--no-input", variables=variables).returncode == 0
        scene = Scene(Service(folder, workers=WORKERS, database_url=""))
        yield scene
        scene.one.end()


@pytest.fixture(scope="module")
def on_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A server of its own, which keeps what it has committed."""
    server = TestServer()
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM RESET ALL")
            connection.execute("SELECT pg_reload_conf()")
        folder = tmp_path_factory.mktemp("postgresql")
        url = create_database(server.url, "faults")
        migrated = manage("migrate", "--no-input", variables=service_variables(folder, database_url=url))
        assert migrated.returncode == 0, migrated.stderr
        scene = Scene(Service(folder, workers=WORKERS, database_url=url, pool_timeout=5), server)
        yield scene
        scene.one.end()
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("database", "fault"),
    [
        pytest.param(database, fault, id=f"{database}-{name_of(fault)}")
        for database, faults in FAULTS.items()
        for fault in faults
    ],
)
async def test_nothing_acknowledged_is_lost(request: pytest.FixtureRequest, database: str, fault: Fault) -> None:
    scene: Scene = request.getfixturevalue(f"on_{database}")
    one = scene.one
    ensure_running(one)
    name = f"{name_of(fault)} "
    async with writing(one, CLIENTS, name) as ledger:
        await ledger.fill(SECONDS)
        await fault(scene)
        if is_running(one):
            await ledger.fill(SECONDS)
    assert ledger.other_answers.keys() <= ({503} if fault in REFUSES else set())

    ensure_running(one)
    found = list(stored_facts(one))
    ours = [fact for fact in found if fact[0].startswith(name)]
    lost = ledger.answered.difference(ours)
    told = (database, name_of(fault), len(ledger.answered), len(ours), len(lost), dict(ledger.other_answers))
    log.info("%s, %s: %d acknowledged, %d found, %d lost; refused: %s", *told)
    assert not lost
    assert_each_request_is_whole_or_missing(ledger, ours)
    assert_statistics_are_true(one, found)
    assert_terms_are_found(one, ours)
    assert "Traceback" not in one.log_text
    if database == "sqlite":
        with closing(sqlite3.connect(one.variables["SKG_DB_PATH"])) as checked:
            assert checked.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def is_running(one: Service) -> bool:
    return one.process is not None and one.process.poll() is None


def ensure_running(one: Service) -> None:
    if not is_running(one):
        one.start()
        return
    one.wait_until_ready()
