"""A revoked key is refused by every worker within a second."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

import httpx
import pytest

from tests.conftest import StartService
from tests.service.workers import connected_to_every_worker
from tests.support.service import Service, manage

# 429 is what the later of many failures from one address are answered.
REFUSALS = {401, 429}


def by_a_worker(one: Service, id: str) -> None:
    with one.client() as admin:
        admin.post(f"/keys/{id}/revoke").raise_for_status()


def by_manage(one: Service, id: str) -> None:
    done = manage("apikey", "revoke", id, "--yes", variables=one.variables)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("revoke", [by_a_worker, by_manage])
async def test_a_revoked_key_is_refused_by_four_workers_within_a_second(
    service: StartService, revoke: Callable[[Service, str], None]
) -> None:
    one = service(workers=4)
    with one.client() as admin:
        issued: dict[str, Any] = admin.post("/keys", json={"name": "short-lived", "scopes": ["read"]}).json()

    async with connected_to_every_worker(one, issued["key"]) as workers:
        # In use all the time on every worker, so that each holds the key as good as late as it ever may.
        users = [asyncio.create_task(last_success(clients[0])) for clients in workers.values()]
        await asyncio.sleep(0.5)
        assert not any(user.done() for user in users)
        await asyncio.to_thread(revoke, one, issued["id"])
        revoked_at = monotonic()
        successes = await asyncio.wait_for(asyncio.gather(*users), 10)
        afterwards = [await client.get("/stats") for clients in workers.values() for client in clients]

    assert len(successes) == 4
    assert max(successes) - revoked_at < 1
    assert {answer.status_code for answer in afterwards} <= REFUSALS


async def last_success(client: httpx.AsyncClient) -> float:
    """Use the key until it is refused; when the last request began that it was good for."""
    last = 0.0
    while True:
        began = monotonic()
        answer = await client.get("/stats")
        if answer.status_code in REFUSALS:
            return last
        answer.raise_for_status()
        last = began
        await asyncio.sleep(0.02)
