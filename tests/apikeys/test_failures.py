"""An address that keeps failing to authenticate is turned away, and nobody else is."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from structlog.typing import EventDict

from apikeys import known_keys as known_keys_module
from apikeys.authentication import failures, known_keys
from apikeys.keys import make_key
from tests.conftest import IssueKey

ALLOWED = 30


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def fail(client: httpx.AsyncClient, times: int) -> list[int]:
    return [(await client.get("/stats", headers=bearer("wrong"))).status_code for _ in range(times)]


@pytest.fixture(autouse=True)
def one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the clock of django-ratelimit still, whose windows would end in the midst of some test."""
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: 1_800_000_000))


@pytest.fixture
async def over_limit(anonymous: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client whose address has failed too often."""
    assert await fail(anonymous, ALLOWED + 1) == [401] * ALLOWED + [429]
    return anonymous


async def test_the_answer_says_when_to_come_back(over_limit: httpx.AsyncClient, log: list[EventDict]) -> None:
    answer = await over_limit.get("/stats", headers=bearer("wrong"))
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["Content-Type"] == "application/problem+json"
    # Turned away unheard: why is not looked into.
    assert [line["event"] for line in log] == ["request"]


async def test_the_log_tells_once_that_an_address_is_over_its_limit(
    anonymous: httpx.AsyncClient, log: list[EventDict]
) -> None:
    await fail(anonymous, ALLOWED + 5)
    assert [line["ip"] for line in log if line["event"] == "auth_failures_limited"] == ["127.0.0.1"]
    assert len([line for line in log if line["event"] == "auth_failure"]) == ALLOWED


async def test_unknown_keys_from_there_cause_no_look_ups(
    over_limit: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: Any) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(known_keys_module, "_read_row", read)
    token = make_key("prod").clear_text
    assert (await over_limit.get("/stats", headers=bearer(token))).status_code == 429
    # Another worker has not seen the failures, but shares their count.
    failures.clear()
    assert (await over_limit.get("/stats", headers=bearer(token))).status_code == 429


async def test_a_key_that_was_good_before_is_not_held_up_by_others_failures(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issue_key()
    assert (await anonymous.get("/stats", headers=bearer(token))).status_code == 200
    await fail(anonymous, ALLOWED + 1)
    assert (await anonymous.get("/stats", headers=bearer(token))).status_code == 200
    # Not even when its row has to be read again.
    monkeypatch.setattr("apikeys.known_keys.FRESH_SECONDS", 0)
    assert (await anonymous.get("/stats", headers=bearer(token))).status_code == 200
    known_keys.clear()
    assert (await anonymous.get("/stats", headers=bearer(token))).status_code == 429


async def test_requests_without_a_key_guess_nothing_and_are_not_counted(anonymous: httpx.AsyncClient) -> None:
    for _ in range(ALLOWED + 1):
        assert (await anonymous.get("/stats")).status_code == 401
    assert await fail(anonymous, 1) == [401]


async def test_only_so_many_addresses_are_remembered(
    over_limit: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apikeys.failures.MAX_REMEMBERED", 1)
    failures._over_until["192.0.2.7"] = failures._over_until.pop("127.0.0.1")
    assert await fail(over_limit, 1) == [429]
    assert list(failures._over_until) == ["127.0.0.1"]
