"""The database's files are removed or replaced under the service: from then on nothing is acknowledged."""

import asyncio
import logging
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.conftest import StartService
from tests.service.load import stored_facts, writing
from tests.support.service import Service, manage
from triples.store.sqlite.wal_check import contradiction

log = logging.getLogger(__name__)

CLIENTS = 6
ANSWERED, REFUSED = 100, 40


def other_database(folder: Path) -> Path:
    """An intact database that is not the service's."""
    other = folder / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (x)")
    return other


def remove(file: Path) -> None:
    file.unlink()


def rename(file: Path) -> None:
    file.rename(f"{file}.elsewhere")


def put_back(file: Path) -> None:
    Path(f"{file}.elsewhere").rename(file)


def replace(file: Path) -> None:
    other_database(file.parent).replace(file)


def empty(file: Path) -> None:
    """Another file of the name, as `>` leaves it where it was removed just before."""
    file.unlink()
    file.touch()


FAULTS = [
    pytest.param(ending, fault, id=f"{fault.__name__}{ending}")
    for ending, fault in [
        ("-wal", remove),
        ("-wal", rename),
        ("-wal", empty),
        ("", remove),
        ("", rename),
        ("", replace),
        ("-shm", remove),
    ]
]
# Where the database is in its place and only its log is not, the service itself saves what the log holds.
SAVED = {("-wal", remove), ("-wal", rename)}


@pytest.mark.parametrize(("ending", "fault"), FAULTS)
async def test_nothing_is_acknowledged_that_is_not_in_the_database(
    service: StartService, ending: str, fault: Callable[[Path], None]
) -> None:
    one = service(workers=2)
    file = Path(f"{one.variables['SKG_DB_PATH']}{ending}")
    async with writing(one, CLIENTS) as ledger:
        await until(lambda: len(ledger.answered) >= ANSWERED)
        fault(file)
        begun = len(ledger.writes)
        await until(lambda: ledger.other_answers[503] >= REFUSED)
        async with httpx.AsyncClient(base_url=one.url, headers=one.headers, timeout=30) as client:
            ready = await client.get("/ready")
            refused = await client.post("/triples/add", json={"subject": "a", "predicate": "p", "object": "b"})
            key = await client.post("/keys", json={"name": "test", "scopes": ["read"]})
            read = await client.post("/query", json={"pattern": ["0-0", None, None]})
    assert [write for write in ledger.writes[begun:] if write.answered] == []
    assert ledger.other_answers.keys() == {503}
    assert ready.status_code == 503
    assert "removed or replaced" in ready.json()["reason"]
    assert (refused.status_code, key.status_code) == (503, 503)
    # Those who have the old files open go on to read them; nobody opens others.
    assert read.status_code in {200, 503}
    events = [line for line in one.log_lines if line["event"] == "database_files_lost"]
    assert 1 <= len(events) <= 2
    assert "Traceback" not in one.log_text

    if (ending, fault) in SAVED:
        # While others read, some of the log may have to wait for a later look.
        database = Path(one.variables["SKG_DB_PATH"])
        await until(lambda: contradiction(database, None, same_boot=True) is None)
    one.kill()
    if (ending, fault) in SAVED:
        one.start()
        found = set(stored_facts(one))
        lost = ledger.answered - found
        log.info("%s %s: %d answered, %d lost", fault.__name__, ending, len(ledger.answered), len(lost))
        assert lost == set()
    elif fault is rename:
        # What was acknowledged before is in the file that was moved.
        assert_it_does_not_start(one)
        put_back(file)
        one.start()
        assert ledger.answered <= set(stored_facts(one))
    elif ending == "":
        assert_it_does_not_start(one)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)


def assert_it_does_not_start(one: Service) -> None:
    one.launch()
    assert one.process is not None
    # 3 is gunicorn's for a worker that does not boot; it makes 1 of it where two end in the same moment.
    assert one.process.wait(60) in {1, 3}, one.log_text[-3000:]
    assert "The database is not opened: " in one.log_text


async def test_a_stop_after_the_log_was_removed_loses_nothing(service: StartService) -> None:
    one = service(workers=2)
    async with writing(one, CLIENTS) as ledger:
        await until(lambda: len(ledger.answered) >= ANSWERED)
        remove(Path(f"{one.variables['SKG_DB_PATH']}-wal"))
        await until(lambda: ledger.other_answers[503] >= REFUSED)
    assert one.stop(signal.SIGTERM) == 0
    one.start()
    assert ledger.answered <= set(stored_facts(one))
    with one.client() as client:
        assert client.post("/triples/add", json={"subject": "a", "predicate": "p", "object": "b"}).status_code == 201


async def test_what_was_acknowledged_before_can_be_copied_from_a_process(service: StartService) -> None:
    """As the operations guide says."""
    one = service(workers=2)
    path = Path(one.variables["SKG_DB_PATH"])
    async with writing(one, CLIENTS) as ledger:
        await until(lambda: len(ledger.answered) >= ANSWERED)
        remove(path)
        await until(lambda: ledger.other_answers[503] >= REFUSED)
    rescued = one.folder / "rescued.db"
    for ending in ("", "-wal"):
        copy_from_a_process(one.workers[0], f"{path}{ending}", Path(f"{rescued}{ending}"))
    with closing(sqlite3.connect(rescued, isolation_level=None)) as database:
        assert database.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    one.kill()
    assert_it_does_not_start(one)
    for ending in ("-wal", "-shm"):
        remove(Path(f"{path}{ending}"))
    rescued.replace(path)
    one.start()
    assert ledger.answered <= set(stored_facts(one))


def copy_from_a_process(process_id: int, file: str, to: Path) -> None:
    descriptors = Path(f"/proc/{process_id}/fd").iterdir()
    held = next(one for one in descriptors if str(one.readlink()).removesuffix(" (deleted)") == file)
    to.write_bytes(held.read_bytes())


def test_no_other_process_opens_files_that_were_replaced_under_a_service(service: StartService) -> None:
    one = service(workers=1)
    with one.client() as client:
        assert client.post("/triples/add", json={"subject": "a", "predicate": "p", "object": "b"}).status_code == 201
    path = Path(one.variables["SKG_DB_PATH"])
    rename(path)
    shutil.copy(f"{path}.elsewhere", path)
    for command in (["migrate"], ["import_triples", "--format", "tsv", "-"], ["recurse"], ["vacuum"]):
        done = manage(*command, variables=one.variables, input_text="x\ty\tz\n", set_up=True)
        assert done.returncode == 1, command
        assert "removed or replaced under a running service" in done.stderr, command
        assert "Traceback" not in done.stderr
    checked = manage("system_check", "--only", "database", variables=one.variables, set_up=True)
    assert "removed or replaced under a running service" in checked.stdout
    path.unlink()
    put_back(path)
    # The files are back, and they are the same.
    with one.client() as client:
        assert client.post("/triples/add", json={"subject": "a", "predicate": "p", "object": "c"}).status_code == 201
    assert manage("migrate", variables=one.variables, set_up=True).returncode == 0
