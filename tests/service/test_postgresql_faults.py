"""What was acknowledged is kept, and seen by its writer, whatever happens to a primary, its replica and a Valkey.

FAULT_CLIENTS, FAULT_SECONDS (of load before the fault and after it) and FAULT_LASTS (how long it lasts) make the run
larger than the suite has time for; with --log-cli-level=INFO it says how many facts were acknowledged and found.
"""

import asyncio
import itertools
import logging
import os
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.service.load import assert_each_request_is_whole_or_missing, stored_facts, writing
from tests.service.replicated import Replicated, until
from tests.service.test_faults import until_gone
from tests.support.environment import service_variables
from tests.support.postgresql import TestServer, create_database
from tests.support.service import Service, manage
from tests.support.standby import Standby
from tests.support.valkey import ValkeyServer

CLIENTS = int(os.environ.get("FAULT_CLIENTS", "4"))
SECONDS = float(os.environ.get("FAULT_SECONDS", "0.7"))
LASTS = float(os.environ.get("FAULT_LASTS", "2"))
MOST_LAG = 1.0
DISK_MIB = 256

log = logging.getLogger(__name__)
_numbers = itertools.count()


@dataclass
class Scene(Replicated):
    valkey: ValkeyServer
    # The folder of the primary's data, if it is a small disk of its own.
    disk: Path | None

    @property
    def standby(self) -> Standby:
        return self.standbys[0]


async def kill_the_replica(scene: Scene) -> None:
    await asyncio.to_thread(scene.standby.stop)
    await asyncio.sleep(LASTS)
    await asyncio.to_thread(scene.standby.start)


async def let_the_replica_lag(scene: Scene) -> None:
    scene.standby.pause(scene.url)
    await asyncio.sleep(LASTS)
    scene.standby.resume(scene.url)


async def freeze_the_replica(scene: Scene) -> None:
    scene.standby.signal(signal.SIGSTOP)
    await asyncio.sleep(LASTS)
    scene.standby.signal(signal.SIGCONT)


async def restart_the_primary(scene: Scene) -> None:
    first = scene.server.process_id
    os.kill(first, signal.SIGINT)
    await until_gone(first)
    await asyncio.to_thread(scene.server.start_again)


async def kill_valkey(scene: Scene) -> None:
    await asyncio.to_thread(scene.valkey.kill)
    await asyncio.sleep(LASTS)
    await asyncio.to_thread(scene.valkey.start)


async def freeze_valkey(scene: Scene) -> None:
    scene.valkey.pause()
    await asyncio.sleep(max(LASTS, 3))
    scene.valkey.resume()


async def use_up_the_connections(scene: Scene) -> None:
    """Those that the service has go on; it gets no other."""
    with ExitStack() as stack:
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            _take_all(stack, scene.url)
        await asyncio.sleep(LASTS)


def _take_all(stack: ExitStack, url: str) -> None:
    while True:
        stack.enter_context(psycopg.connect(url))


async def fill_the_disk(scene: Scene) -> None:
    """The primary may even end itself; it is started again when there is room."""
    if scene.disk is None:
        pytest.skip("no small disk could be mounted, so a full disk of the primary was not tested")
    filler = scene.disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError:
            pass
    await asyncio.sleep(LASTS)
    filler.unlink()
    await asyncio.to_thread(scene.server.start_again)


Fault = Callable[[Scene], Awaitable[None]]
FAULTS: list[Fault] = [
    *(kill_the_replica, let_the_replica_lag, freeze_the_replica, restart_the_primary),
    *(kill_valkey, freeze_valkey, use_up_the_connections, fill_the_disk),
]
# In these, clients are told that it does not work now.
REFUSES: set[Fault] = {restart_the_primary, use_up_the_connections, fill_the_disk}


def name_of(fault: Fault) -> str:
    return str(getattr(fault, "__name__", fault))


@pytest.fixture(scope="module")
def disk() -> Iterator[Path | None]:
    """A small disk of its own, where this user may mount one."""
    folder = Path(tempfile.mkdtemp(prefix="skg-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=700", "skg-tests", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    yield folder if mounted else None
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def scene(disk: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as stack:
        server, valkey = TestServer(disk), ValkeyServer()
        stack.callback(server.stop)
        valkey.start()
        stack.callback(valkey.end)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM RESET ALL")
            for setting in ("wal_keep_size = '48MB'", "max_wal_size = '64MB'", "min_wal_size = '32MB'"):
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")
        folder = tmp_path_factory.mktemp("faults")
        url = create_database(server.url, "faults")
        migrated = manage("migrate", "--no-input", variables=service_variables(folder, database_url=url))
        assert migrated.returncode == 0, migrated.stderr
        standby = Standby(server)
        stack.callback(standby.end)
        one = Service(
            folder,
            workers=2,
            database_url=url,
            database_replica_urls=[standby.url(url)],
            replica_max_lag=MOST_LAG,
            redis_url=valkey.url,
            cache_ttl=60,
            pool_timeout=5,
            query_timeout=6,
        )
        one.start()
        stack.callback(one.end)
        yield Scene(one, server, url, [standby], valkey, disk)
        assert "Traceback" not in one.log_text


@dataclass
class Readers:
    """Clients that read what they have just written, with its token and on another connection."""

    found: int = 0
    missed: list[str] = field(default_factory=list)
    other_answers: Counter[int] = field(default_factory=Counter)


@asynccontextmanager
async def reading(one: Service, name: str) -> AsyncIterator[Readers]:
    readers, done = Readers(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_read_until(done, one, name, readers))
        try:
            yield readers
        finally:
            done.set()


async def _read_until(done: asyncio.Event, one: Service, name: str, readers: Readers) -> None:
    while not done.is_set():
        try:
            async with (
                httpx.AsyncClient(base_url=one.url, headers=one.headers, timeout=30) as writer,
                httpx.AsyncClient(base_url=one.url, headers=one.headers, timeout=30) as reader,
            ):
                while not done.is_set():
                    await _read(writer, reader, f"{name}{next(_numbers)}", readers)
        except httpx.TransportError:
            await asyncio.sleep(0.02)


async def _read(writer: httpx.AsyncClient, reader: httpx.AsyncClient, subject: str, readers: Readers) -> None:
    stored = await writer.post("/triples/add", json={"subject": subject, "predicate": "reads", "object": "own"})
    if stored.status_code != 201:
        readers.other_answers[stored.status_code] += 1
        return
    token = {"SKG-Snapshot": stored.headers["SKG-Snapshot"]}
    answer = await reader.post("/query", json={"pattern": [subject, None, None]}, headers=token)
    if answer.status_code != 200:
        readers.other_answers[answer.status_code] += 1
    elif answer.json()["total"] == 1:
        readers.found += 1
    else:
        readers.missed.append(subject)


@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
async def test_nothing_acknowledged_is_lost_or_unseen(scene: Scene, fault: Fault) -> None:
    one, name = scene.one, f"{name_of(fault)} "
    one.wait_until_ready()
    until(lambda: scene.in_use() == 1)
    async with writing(one, CLIENTS, name) as ledger, reading(one, f"own {name}") as readers:
        await ledger.fill(SECONDS)
        await fault(scene)
        await ledger.fill(SECONDS)
    refused = set(ledger.other_answers) | set(readers.other_answers)
    assert refused <= ({503} if fault in REFUSES else set())

    one.wait_until_ready()
    until(lambda: scene.in_use() == 1, 40)
    scene.caught_up()
    ours = [fact for fact in stored_facts(one) if fact[0].startswith(name)]
    lost = ledger.answered.difference(ours)
    told = (len(ledger.answered), len(ours), len(lost), readers.found, len(readers.missed), dict(ledger.other_answers))
    log.info("%s: %d acknowledged, %d found, %d lost; own writes read: %d, missed: %d; refused: %s", name, *told)
    assert not lost
    assert not readers.missed
    assert readers.found
    assert_each_request_is_whole_or_missing(ledger, ours)
