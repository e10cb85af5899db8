"""Workers forget what they know of a key when it changes, told over a real Valkey."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from structlog.typing import EventDict

from apikeys import key_cache as key_cache_module
from apikeys.announcements import CHANNEL, follow_announcements
from apikeys.key_cache import key_cache
from apikeys.keys import digest_of
from apikeys.services import key_change, key_revoke, key_rotate
from skg_site.api.threads import in_thread
from skg_site.api.valkey import valkey
from tests.apikeys.test_authentication import bearer, key_of
from tests.conftest import ChangeSettings, IssueKey
from tests.support.database import in_orm
from tests.support.valkey import ValkeyServer


@pytest.fixture
async def told(
    valkey_server: ValkeyServer, change_settings: ChangeSettings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """This process follows the channel, and would by itself not look at a key's row again."""
    change_settings(redis_url=valkey_server.url)
    monkeypatch.setattr(key_cache_module, "FRESH_SECONDS", 600)
    valkey.open(valkey_server.url)
    following = asyncio.create_task(follow_announcements())
    with valkey_server.client() as client:
        async with asyncio.timeout(20):
            while not dict(client.pubsub_numsub(CHANNEL))[CHANNEL.encode()]:
                await asyncio.sleep(0.01)
    yield
    following.cancel()
    await valkey.close()


async def forgotten(token: str) -> None:
    async with asyncio.timeout(20):
        while digest_of(token.encode()) in key_cache:
            await asyncio.sleep(0.01)


async def test_a_revoked_key_is_forgotten_and_no_other(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, told: None
) -> None:
    token, other = issue_key(), issue_key()
    for one in (token, other):
        assert (await anonymous.get("/keys/me", headers=bearer(one))).status_code == 200
    in_orm(lambda: key_revoke(key=key_of(token), actor="tests"))
    await forgotten(token)
    assert (await anonymous.get("/keys/me", headers=bearer(token))).status_code == 401
    assert digest_of(other.encode()) in key_cache


async def test_a_rotated_and_a_changed_key_are_forgotten(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, told: None
) -> None:
    rotated, changed = issue_key(), issue_key()
    for one in (rotated, changed):
        await anonymous.get("/keys/me", headers=bearer(one))
    in_orm(lambda: key_rotate(key=key_of(rotated), actor="tests"))
    in_orm(lambda: key_change(key=key_of(changed), actor="tests", name="new", rate="", allowed_networks=""))
    await forgotten(rotated)
    await forgotten(changed)
    assert (await anonymous.get("/keys/me", headers=bearer(changed))).json()["name"] == "new"


async def test_a_read_that_was_under_way_when_the_key_changed_is_not_kept(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issue_key()
    release = asyncio.Event()

    async def slowly(*args: Any) -> Any:
        found = await in_thread(*args)
        await release.wait()
        return found

    monkeypatch.setattr(key_cache_module, "in_thread", slowly)
    asking = asyncio.create_task(anonymous.get("/keys/me", headers=bearer(token)))
    async with asyncio.timeout(20):
        while not key_cache._reads:
            await asyncio.sleep(0.01)
    key_cache.forget("whichever")
    release.set()
    assert (await asking).status_code == 200
    assert digest_of(token.encode()) not in key_cache


async def test_a_change_that_cannot_be_announced_is_made_all_the_same(
    database: None,
    issue_key: IssueKey,
    change_settings: ChangeSettings,
    valkey_server: ValkeyServer,
    log: list[EventDict],
) -> None:
    token = issue_key()
    change_settings(redis_url=valkey_server.url)
    valkey_server.kill()
    assert in_orm(lambda: key_revoke(key=key_of(token), actor="tests").revoked_at) is not None
    assert "key_change_not_announced" in [event["event"] for event in log]
