"""An address that keeps failing to authenticate is told to come back later; a good key from there is let in."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from structlog.typing import EventDict

from apikeys import key_cache as key_cache_module
from apikeys.failure_limit import failure_limit
from apikeys.key_cache import key_cache
from apikeys.keys import make_key
from skg_site.api.addresses import client_network
from tests.conftest import IssueKey

ALLOWED = 30


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def fail(client: httpx.AsyncClient, times: int) -> list[int]:
    return [(await client.get("/stats", headers=bearer("wrong"))).status_code for _ in range(times)]


def unknown_key() -> dict[str, str]:
    return bearer(make_key("prod").clear_text)


@pytest.fixture(autouse=True)
def no_failure_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the clock of the buckets still, into which a failure more comes back every two seconds."""
    monkeypatch.setattr("apikeys.bucket_table.monotonic_ns", lambda: 10**18)


@pytest.fixture
async def over_limit(anonymous: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client whose address has failed too often."""
    assert await fail(anonymous, ALLOWED + 1) == [401] * ALLOWED + [429]
    return anonymous


async def test_the_answer_says_when_to_come_back(over_limit: httpx.AsyncClient, log: list[EventDict]) -> None:
    answer = await over_limit.get("/stats", headers=bearer("wrong"))
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "2"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [line["event"] for line in log] == ["request"]


async def test_the_log_tells_once_that_an_address_is_over_its_limit(
    anonymous: httpx.AsyncClient, log: list[EventDict]
) -> None:
    await fail(anonymous, ALLOWED + 5)
    assert [line["ip"] for line in log if line["event"] == "auth_failures_limited"] == ["127.0.0.1"]
    assert len([line for line in log if line["event"] == "auth_failure"]) == ALLOWED


async def test_a_good_key_is_let_in_whatever_others_from_its_address_have_sent(
    over_limit: httpx.AsyncClient, issue_key: IssueKey
) -> None:
    for _ in range(5):
        # No worker has seen it: each start of one (SIGHUP) leads there.
        token = issue_key()
        assert (await over_limit.get("/stats", headers=bearer(token))).status_code == 200
        key_cache.clear()
        assert (await over_limit.get("/stats", headers=bearer(token))).status_code == 200
        assert (await over_limit.get("/stats", headers=unknown_key())).status_code == 429
        assert await fail(over_limit, 1) == [429]


async def test_another_worker_shares_the_count(over_limit: httpx.AsyncClient) -> None:
    failure_limit._failing.clear()
    assert await fail(over_limit, 1) == [429]
    assert (await over_limit.get("/stats", headers=unknown_key())).status_code == 429


async def test_a_failing_address_is_looked_up_for_one_key_at_a_time(
    over_limit: httpx.AsyncClient, issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """True if its clients wait for their answers or go away at once."""
    under_way, most, read_keys = 0, 0, []
    began, go_on = asyncio.Event(), asyncio.Event()
    read = key_cache.read

    async def watched(digest: bytes, public_id: str | None) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        began.set()
        await go_on.wait()
        try:
            return await read(digest, public_id)
        finally:
            under_way -= 1
            read_keys.append(public_id)

    monkeypatch.setattr(key_cache, "read", watched)
    asking = [asyncio.create_task(over_limit.get("/stats", headers=unknown_key())) for _ in range(10)]
    good = asyncio.create_task(over_limit.get("/stats", headers=bearer(issue_key())))
    await began.wait()
    for one in asking[::2]:
        one.cancel()
    # What the first one asked goes on, and nobody is let past it.
    await asyncio.wait(asking[2::2])
    assert under_way == 1
    go_on.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert (await good).status_code == 200
    assert {answer.status_code for answer in answers if isinstance(answer, httpx.Response)} == {429}
    assert len([answer for answer in answers if isinstance(answer, asyncio.CancelledError)]) == 5
    assert most == 1
    # Those that went away while they waited for their turn cost nothing.
    assert len(read_keys) == 7


async def test_other_addresses_look_keys_up_as_ever(
    over_limit: httpx.AsyncClient, issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure_limit._failing["192.0.2.7"] = failure_limit._failing.pop("127.0.0.1")
    monkeypatch.setattr(failure_limit._failing["192.0.2.7"], "reading", None)
    assert (await over_limit.get("/stats", headers=bearer(issue_key()))).status_code == 200


async def test_a_key_in_use_waits_for_nobody(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issue_key()
    assert (await anonymous.get("/stats", headers=bearer(token))).status_code == 200
    await fail(anonymous, ALLOWED + 1)
    monkeypatch.setattr(failure_limit._failing["127.0.0.1"], "reading", None)
    # Not even when its row has to be read again.
    monkeypatch.setattr(key_cache_module, "FRESH_SECONDS", 0)
    assert (await anonymous.get("/stats", headers=bearer(token))).status_code == 200


async def test_requests_without_a_key_guess_nothing_and_are_not_counted(anonymous: httpx.AsyncClient) -> None:
    for _ in range(ALLOWED + 1):
        assert (await anonymous.get("/stats")).status_code == 401
    assert await fail(anonymous, 1) == [401]


async def test_only_so_many_addresses_are_remembered(
    over_limit: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apikeys.failure_limit.MAX_REMEMBERED", 1)
    failure_limit._failing["192.0.2.7"] = failure_limit._failing.pop("127.0.0.1")
    assert await fail(over_limit, 1) == [429]
    assert list(failure_limit._failing) == ["127.0.0.1"]


async def test_however_many_addresses_fail_there_is_one_file_for_all(
    anonymous: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files() -> set[Path]:
        return {path for path in settings.ENV.state_dir.rglob("*") if path.is_file()}

    await fail(anonymous, 1)
    before = files()
    transport: Any = anonymous._transport
    for number in range(100):
        monkeypatch.setattr(transport, "client", (f"2001:db8:0:{number:x}::1", 50_000))
        assert await fail(anonymous, 1) == [401]
    assert files() == before


@pytest.mark.parametrize(
    ("addresses", "network"),
    [
        (["192.0.2.7", "::ffff:192.0.2.7"], "192.0.2.7"),
        (["2001:db8::1", "2001:DB8:0:0:ffff::2", "2001:db8::ffff:ffff:ffff:ffff"], "2001:db8::/64"),
        (["fe80::1%eth0", "fe80::2"], "fe80::/64"),
        (["/run/skg.sock"], "/run/skg.sock"),
        ([""], ""),
    ],
)
async def test_an_ipv6_network_of_64_bits_is_one_address(
    anonymous: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, addresses: list[str], network: str
) -> None:
    assert {client_network(address) for address in addresses} == {network}
    transport: Any = anonymous._transport
    answers: list[int] = []
    for number in range(ALLOWED + 1):
        monkeypatch.setattr(transport, "client", (addresses[number % len(addresses)], 50_000))
        answers += await fail(anonymous, 1)
    assert answers == [401] * ALLOWED + [429]
