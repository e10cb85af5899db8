"""When a key was last used: to the minute, forward only, and never at a request's expense."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.db import OperationalError
from structlog.typing import EventDict

from apikeys import last_used as last_used_module
from apikeys.models import ApiKey
from skg_site.api.threads import in_thread
from tests.apikeys.test_authentication import bearer
from tests.apikeys.waiting import until
from tests.conftest import IssueKey
from tests.support.database import in_orm

pytestmark = pytest.mark.both

Uses = list[set[int]]


@pytest.fixture
def always_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request reads its key's row, as only one in most of a second does otherwise."""
    monkeypatch.setattr("apikeys.key_cache.FRESH_SECONDS", 0)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Uses:
    """Which keys each write was for."""
    made: Uses = []
    move = last_used_module._move_forward

    def count(row_ids: Any, minute: datetime) -> None:
        made.append(set(row_ids))
        move(row_ids, minute)

    monkeypatch.setattr(last_used_module, "_move_forward", count)
    return made


def last_used() -> datetime | None:
    return in_orm(lambda: ApiKey.objects.get().last_used_at)


async def test_the_first_use_is_written_to_the_minute(api: httpx.AsyncClient) -> None:
    assert last_used() is None
    before = datetime.now(UTC).replace(second=0, microsecond=0)
    assert (await api.get("/stats")).status_code == 200
    await until(lambda: last_used() is not None)
    assert last_used() in {before, before + timedelta(minutes=1)}


@pytest.mark.once
async def test_many_uses_in_a_minute_are_one_write(
    api: httpx.AsyncClient, always_read: None, writes: Uses, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        reading = datetime(2030, 1, 1, 12, 1, 30, tzinfo=UTC)

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.reading

    monkeypatch.setattr(last_used_module, "datetime", Clock)
    for _ in range(2):
        for _ in range(5):
            assert (await api.get("/stats")).status_code == 200
        await until(lambda: last_used() == Clock.reading.replace(second=0))
        Clock.reading += timedelta(minutes=1)
    assert len(writes) == 2


@pytest.mark.once
async def test_what_another_worker_has_written_is_not_written_again(api: httpx.AsyncClient, writes: Uses) -> None:
    in_orm(lambda: ApiKey.objects.update(last_used_at=datetime.now(UTC) + timedelta(minutes=2)))
    assert (await api.get("/stats")).status_code == 200
    await asyncio.sleep(0.05)
    assert writes == []


def test_the_moment_never_goes_back(issue_key: IssueKey) -> None:
    issue_key()
    row_id = in_orm(lambda: ApiKey.objects.get().pk)
    later = datetime(2030, 1, 1, tzinfo=UTC)
    for minute in (later, later - timedelta(minutes=1)):
        in_orm(last_used_module._move_forward, [row_id], minute)
        assert last_used() == later


@pytest.mark.once
async def test_uses_that_come_during_a_write_are_written_together(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, writes: Uses, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = [issue_key() for _ in range(5)]
    go_on = asyncio.Event()

    async def wait_first(*arguments: Any) -> None:
        await go_on.wait()
        await in_thread(*arguments)

    monkeypatch.setattr(last_used_module, "in_thread", wait_first)
    for token in tokens:
        # Answered while nothing can be written.
        assert (await anonymous.get("/stats", headers=bearer(token))).status_code == 200
    go_on.set()
    await until(lambda: len(writes) == 2)
    assert [len(keys) for keys in writes] == [1, 4]


async def test_a_failure_is_logged_and_nothing_else(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, log: list[EventDict]
) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(last_used_module, "_move_forward", fail)
    assert (await api.get("/stats")).status_code == 200
    await until(lambda: "last_used_not_written" in [line["event"] for line in log])
    assert (await api.get("/stats")).status_code == 200
