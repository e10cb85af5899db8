"""Limits over HTTP: what the header fields say, and which requests share a bucket."""

from typing import Any

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured

from apikeys.services import key_change, key_rotate
from apikeys.throttling import limit_for
from skg_site.api.rates import Rate
from tests.apikeys.test_authentication import bearer, key_of
from tests.conftest import ChangeSettings, IssueKey
from tests.support.database import in_orm


async def statuses(client: httpx.AsyncClient, token: str, times: int, path: str = "/keys/me") -> list[int]:
    return [(await client.get(path, headers=bearer(token))).status_code for _ in range(times)]


async def test_each_answer_says_what_is_left(
    anonymous: httpx.AsyncClient,
    issue_key: IssueKey,
    change_settings: ChangeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("apikeys.bucket_table.monotonic_ns", lambda: 10**18)
    change_settings(rate_limit=Rate(2, 60))
    headers = bearer(issue_key())
    answers = [await anonymous.get("/keys/me", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"default";q=2;w=60'}
    assert [answer.headers["RateLimit"] for answer in answers] == [
        '"default";r=1;t=30',
        '"default";r=0;t=30',
        '"default";r=0;t=30',
    ]
    assert answers[2].headers["Retry-After"] == "30"
    assert answers[2].headers["Content-Type"] == "application/problem+json"
    assert answers[2].json()["status"] == 429


async def test_a_refused_request_takes_nothing(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, change_settings: ChangeSettings
) -> None:
    change_settings(rate_limit=Rate(1, 3600))
    token = issue_key()
    assert await statuses(anonymous, token, 5) == [200, 429, 429, 429, 429]
    answer = await anonymous.get("/keys/me", headers=bearer(token))
    assert int(answer.headers["Retry-After"]) <= 3600


async def test_keys_and_endpoints_have_their_own_buckets(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, change_settings: ChangeSettings
) -> None:
    change_settings(rate_limit=Rate(1, 3600))
    for token in (issue_key(), issue_key()):
        for path in ("/keys/me", "/keys", "/stats"):
            assert await statuses(anonymous, token, 2, path) == [200, 429]


async def test_a_keys_own_rate_goes_before_the_services(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, change_settings: ChangeSettings
) -> None:
    change_settings(rate_limit=Rate(1, 3600))
    assert await statuses(anonymous, issue_key(rate="3/h"), 4) == [200, 200, 200, 429]
    assert await statuses(anonymous, issue_key(rate="0"), 4) == [200] * 4


@pytest.mark.parametrize(("rate", "own"), [(Rate(0, 60), ""), (Rate(1, 60), "0")])
async def test_a_limit_that_is_off_says_nothing(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, change_settings: ChangeSettings, rate: Rate, own: str
) -> None:
    change_settings(rate_limit=rate)
    answer = await anonymous.get("/keys/me", headers=bearer(issue_key(rate=own)))
    assert not [name for name in answer.headers if name.startswith("ratelimit")]


async def test_rotating_gives_no_fresh_bucket(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, change_settings: ChangeSettings
) -> None:
    change_settings(rate_limit=Rate(2, 3600))
    token = issue_key()
    assert await statuses(anonymous, token, 1) == [200]
    successor = in_orm(lambda: key_rotate(key=key_of(token), actor="tests").clear_text)
    assert await statuses(anonymous, successor, 2) == [200, 429]
    assert await statuses(anonymous, token, 1) == [429]


async def test_a_new_rate_begins_with_a_full_bucket(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apikeys.key_cache.FRESH_SECONDS", 0)
    token = issue_key(rate="1/h")
    assert await statuses(anonymous, token, 2) == [200, 429]
    changes: dict[str, Any] = {"name": "x", "rate": "2/h", "allowed_networks": ""}
    in_orm(lambda: key_change(key=key_of(token), actor="tests", **changes))
    assert await statuses(anonymous, token, 3) == [200, 200, 429]


async def test_without_authentication_limits_are_by_address(
    anonymous: httpx.AsyncClient, change_settings: ChangeSettings
) -> None:
    change_settings(enable_auth=False, rate_limit=Rate(1, 1))
    answers = [await anonymous.get("/stats") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]


def test_a_view_without_a_name_is_a_mistake_of_ours() -> None:
    with pytest.raises(ImproperlyConfigured, match="basename"):
        limit_for("4Xk0vT2a", None, "list", Rate(1, 1))
