"""GET /health and /ready: whether the process lives, and whether it can do its work."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from skg_site.host.write_lock import write_lock
from skg_site.observe import probes as health
from skg_site.version import VERSION
from tests.support.database import in_orm

# Each instance has probes of its own.
pytestmark = [pytest.mark.both, pytest.mark.in_process]

NOT_READY = {"ready": False, "db_connected": False, "migrated": False}


@pytest.fixture
def unmigrated(database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database lacks the graph's last migration."""
    monkeypatch.setattr(health, "_migrated", False)
    last = in_orm(
        lambda: max(name for app, name in MigrationRecorder(connection).applied_migrations() if app == "triples")
    )
    in_orm(lambda: MigrationRecorder(connection).record_unapplied("triples", last))
    yield
    in_orm(lambda: MigrationRecorder(connection).record_applied("triples", last))


@pytest.fixture
def newer(database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Newer code has migrated the database."""
    monkeypatch.setattr(health, "_migrated", False)
    in_orm(lambda: MigrationRecorder(connection).record_applied("triples", "0999_later"))
    yield
    in_orm(lambda: MigrationRecorder(connection).record_unapplied("triples", "0999_later"))


@pytest.fixture
def read_only(database: None) -> Iterator[None]:
    """The probe's connection may not write, as on a standby server or a disk that was mounted so."""
    health._thread.submit(_forbid_writes).result()
    yield
    health._thread.submit(_allow_writes).result()


def _forbid_writes() -> None:
    forbid = "SET default_transaction_read_only = on" if connection.vendor == "postgresql" else "PRAGMA query_only = on"
    with connection.cursor() as cursor:
        cursor.execute(forbid)


def _allow_writes() -> None:
    allow = "RESET default_transaction_read_only" if connection.vendor == "postgresql" else "PRAGMA query_only = off"
    with connection.cursor() as cursor:
        cursor.execute(allow)


@pytest.fixture
def locked(database: None) -> Iterator[None]:
    """Somebody else is writing, and goes on for long."""
    end, begun = threading.Event(), Future[None]()

    def hold() -> None:
        try:
            with write_lock(), transaction.atomic():
                begun.set_result(None)
                end.wait()
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    begun.result(timeout=30)
    yield
    end.set()
    holder.join()


@pytest.mark.once
async def test_a_living_process_says_so_with_its_version_and_the_time(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/health")
    assert answer.status_code == 200
    content = answer.json()
    assert (content["status"], content["version"]) == ("healthy", VERSION)
    assert abs(datetime.fromisoformat(content["timestamp"]) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_service_that_can_work_is_ready(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "db_connected": True, "migrated": True})
    assert "Retry-After" not in answer.headers


async def test_a_service_without_its_tables_is_not_ready(anonymous: httpx.AsyncClient, unmigrated: None) -> None:
    answer = await anonymous.get("/ready")
    content = answer.json()
    assert content.pop("reason").endswith("manage.py migrate applies them.")
    assert (answer.status_code, content) == (503, {"ready": False, "db_connected": True, "migrated": False})
    assert answer.headers["Retry-After"] == "1"


async def test_a_service_is_not_ready_for_a_database_of_newer_code(anonymous: httpx.AsyncClient, newer: None) -> None:
    answer = await anonymous.get("/ready")
    content = answer.json()
    assert "newer version of this code (triples 0999_later)" in content.pop("reason")
    assert (answer.status_code, content) == (503, {"ready": False, "db_connected": True, "migrated": False})


async def test_a_database_that_takes_no_writes_is_not_ready_and_the_process_is_well(
    anonymous: httpx.AsyncClient, read_only: None
) -> None:
    answer = await anonymous.get("/ready")
    assert (answer.status_code, answer.json()) == (503, NOT_READY)
    assert (await anonymous.get("/health")).status_code == 200


async def test_a_database_that_takes_writes_again_is_ready_again(anonymous: httpx.AsyncClient, read_only: None) -> None:
    assert (await anonymous.get("/ready")).status_code == 503
    health._thread.submit(_allow_writes).result()
    assert (await anonymous.get("/ready")).status_code == 200


async def test_a_database_that_keeps_everybody_waiting_is_not_ready_and_the_probe_does_not_wait(
    anonymous: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL lets many write at once")
    monkeypatch.setattr(health, "PATIENCE", 0.1)
    request.getfixturevalue("locked")
    answers = await asyncio.gather(*(anonymous.get("/ready") for _ in range(5)))
    assert [(answer.status_code, answer.json()) for answer in answers] == [(503, NOT_READY)] * 5


@pytest.mark.once
@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_a_probe_needs_no_key_and_takes_any_host(anonymous: httpx.AsyncClient, path: str) -> None:
    for headers in ({"Host": "10.1.2.3:7777"}, {"Authorization": "Bearer wrong"}):
        assert (await anonymous.get(path, headers=headers)).status_code == 200
