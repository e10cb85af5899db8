"""One host alone serves a SQLite file, and nothing but another host that lives is in its way."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from skg_site.host import lone_host
from skg_site.server.lifespan import lifespan
from tests.conftest import ChangeSettings, StartService
from tests.support.asgi import Message

OTHER = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def sign_file(tmp_path: Path, change_settings: ChangeSettings, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Another file than the other tests', and the state folder with it.
    change_settings(db_path=tmp_path / "skg.db", database_url="", state_dir=tmp_path)
    monkeypatch.setattr(lone_host, "WATCH_SECONDS", 0.3)
    monkeypatch.setattr(lone_host, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(lone_host, "BEAT_SECONDS", 0.01)
    return tmp_path / "host"


def sign(file: Path) -> str:
    return file.read_text()


def write_sign(file: Path, beat: int) -> None:
    file.write_text(f"{OTHER} {beat:020d}\n")


@contextmanager
def living_elsewhere(file: Path) -> Iterator[None]:
    """Another host that gives signs of life."""
    over = threading.Event()

    def beat() -> None:
        number = 0
        while not over.wait(0.02):
            number += 1
            write_sign(file, number)

    write_sign(file, 0)
    thread = threading.Thread(target=beat)
    thread.start()
    yield
    over.set()
    thread.join()


def test_the_first_host_and_each_later_process_of_it_may_serve(sign_file: Path) -> None:
    lone_host.claim()
    first = sign_file.read_text()
    lone_host.claim()
    assert first.split()[0] == lone_host.this_host()
    assert sign_file.stat().st_mode & 0o077 == 0


def test_a_host_is_known_by_its_running_kernel_or_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.node", lambda: "another-container")
    before = lone_host.this_host()
    monkeypatch.setattr(lone_host, "BOOT_ID", tmp_path / "not-linux")
    assert (before != "another-container", lone_host.this_host()) == (True, "another-container")


def test_a_second_host_may_not_serve_while_the_first_lives(sign_file: Path) -> None:
    with living_elsewhere(sign_file), pytest.raises(lone_host.Occupied, match="PostgreSQL"):
        lone_host.claim()


def test_what_a_crashed_host_left_behind_is_in_nobodys_way(sign_file: Path) -> None:
    write_sign(sign_file, 7)
    lone_host.claim()
    assert sign_file.read_text().split()[0] == lone_host.this_host()


def test_half_a_sign_is_none(sign_file: Path) -> None:
    sign_file.write_text("half")
    lone_host.claim()
    assert sign_file.read_text().split()[0] == lone_host.this_host()


def test_on_postgresql_hosts_may_be_many(sign_file: Path, change_settings: ChangeSettings) -> None:
    change_settings(database_url="postgresql:///skg")
    write_sign(sign_file, 1)
    lone_host.claim()
    asyncio.run(lone_host.hold())
    assert sign_file.read_text().split()[0] == OTHER


async def test_a_host_that_was_taken_for_dead_stops(sign_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[int] = []
    monkeypatch.setattr("os.kill", lambda _pid, number: stopped.append(number))
    lone_host.claim()
    before = sign(sign_file)
    holding = asyncio.create_task(lone_host.hold())
    async with asyncio.timeout(10):
        while sign(sign_file) == before:
            await asyncio.sleep(0.01)
        write_sign(sign_file, 1)
        await holding
    assert stopped == [signal.SIGTERM]


@pytest.fixture
def unwritable(sign_file: Path) -> None:
    sign_file.mkdir()


async def test_a_disk_that_takes_nothing_stops_nobody(unwritable: None) -> None:
    holding = asyncio.create_task(lone_host.hold())
    await asyncio.sleep(0.1)
    assert not holding.done()
    holding.cancel()


async def test_the_service_says_why_it_does_not_start(sign_file: Path) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    with living_elsewhere(sign_file):
        await lifespan(receive, send)  # type: ignore[arg-type]  # the same protocol, typed in other words
    assert [message["type"] for message in sent] == ["lifespan.startup.failed"]
    assert "Another host serves" in sent[0]["message"]


def test_a_service_whose_file_another_host_serves_ends_with_a_sentence(service: StartService) -> None:
    one = service(database_url="")
    one.stop()
    with living_elsewhere(one.folder / "skg.state" / "host"):
        one.launch()
        assert one.process is not None
        assert one.process.wait(60) == 3
    assert "Another host serves" in one.log_text
