"""Who is let in, over HTTP: every reason not to be is one answer to the client, and told apart in the log."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from structlog.typing import EventDict

from apikeys import key_cache as key_cache_module
from apikeys.key_cache import key_cache
from apikeys.keys import digest_of, make_key
from apikeys.models import ApiKey
from apikeys.services import adopt_configured_key, key_change, key_revoke, key_rotate
from tests.apikeys.waiting import until
from tests.conftest import ChangeSettings, IssueKey
from tests.support.database import disconnect_all, in_orm

pytestmark = pytest.mark.both

GOOD = make_key("prod").clear_text
MISTYPED = GOOD[:-1] + ("a" if GOOD[-1] != "a" else "b")

# Each would be the header of a good key, if the key in it were stored.
HOSTILE = {
    "no scheme": GOOD,
    "another scheme": f"Basic {GOOD}",
    "scheme alone": "Bearer",
    "scheme and space": "Bearer ",
    "nothing": "",
    "comma": f"Bearer {GOOD},",
    "two keys": f"Bearer {GOOD} {GOOD}",
    "quotes": f'Bearer "{GOOD}"',
    "key=value": f"Bearer key={GOOD}",
    "tab": f"Bearer\t{GOOD}",
    "mistyped": f"Bearer {MISTYPED}",
    "short": f"Bearer {GOOD[:-1]}",
    "long": f"Bearer {GOOD}A",
    "very long": f"Bearer {'A' * 60_000}",
    "upper case": f"Bearer {GOOD.upper()}",
    "another prefix": f"Bearer {GOOD.replace('skg_', 'abc_')}",
    "path": "Bearer ../../etc/passwd",
    "sql": "Bearer ' OR 1=1 --",
    "template": "Bearer {{7*7}}",
    "null": "Bearer null",
    "not ascii": "Bearer schlüssel".encode(),
    "not utf-8": b"Bearer \xff\xfe",
    "percent": "Bearer %00",
}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def failures(log: list[EventDict]) -> list[tuple[str, str | None]]:
    return [(line["reason"], line["key_id"]) for line in log if line["event"] == "auth_failure"]


@pytest.mark.once
@pytest.mark.parametrize("header", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_header_is_refused_without_the_database(
    anonymous: httpx.AsyncClient, header: str | bytes, log: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(key_cache_module, "_read_row", fail)
    raw = header.encode() if isinstance(header, str) else header
    answer = await anonymous.get("/keys/me", headers={b"Authorization": raw})
    assert answer.status_code == 401, answer.text
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert [reason for reason, _ in failures(log)] == ["malformed"]
    assert GOOD not in repr(log)


async def test_all_reasons_are_one_answer(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, log: list[EventDict]
) -> None:
    revoked, expired = issue_key(), issue_key()
    in_orm(lambda: key_revoke(key=key_of(revoked), actor="tests"))
    in_orm(lambda: ApiKey.objects.filter(pk=key_of(expired).pk).update(expires_at=timezone.now()))
    answers = [await anonymous.get("/keys/me")]
    answers += [await anonymous.get("/keys/me", headers=bearer(token)) for token in (MISTYPED, GOOD, revoked, expired)]
    assert [answer.status_code for answer in answers] == [401] * 5
    bodies = [answer.json() | {"request_id": ""} for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert failures(log) == [
        ("missing", None),
        ("malformed", GOOD[9:17]),
        ("unknown", GOOD[9:17]),
        ("revoked", revoked[9:17]),
        ("expired", expired[9:17]),
    ]
    first = next(line for line in log if line["event"] == "auth_failure")
    assert (first["ip"], first["endpoint"]) == ("127.0.0.1", "/keys/me")
    assert first["request_id"] == answers[0].headers["X-Request-ID"]


async def test_a_key_with_the_id_of_another_is_unknown(anonymous: httpx.AsyncClient, issue_key: IssueKey) -> None:
    token = issue_key()
    in_orm(lambda: ApiKey.objects.update(public_id=GOOD[9:17]))
    assert (await anonymous.get("/keys/me", headers=bearer(GOOD))).status_code == 401
    assert (await anonymous.get("/keys/me", headers=bearer(token))).status_code == 401


@pytest.mark.once
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
async def test_the_scheme_is_read_as_http_has_it(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, scheme: str, log: list[EventDict]
) -> None:
    token = issue_key()
    answer = await anonymous.get("/keys/me", headers={"Authorization": f"{scheme} {token}"})
    assert answer.status_code == 200
    assert next(line["key_id"] for line in log if line["event"] == "request") == token[9:17]


@pytest.mark.once
async def test_the_header_twice_is_a_bad_request(anonymous: httpx.AsyncClient, issue_key: IssueKey) -> None:
    header = ("Authorization", f"Bearer {issue_key()}")
    assert (await anonymous.get("/keys/me", headers=[header, header])).status_code == 400


async def test_a_known_key_needs_no_database(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await api.get("/stats")).status_code == 200
    monkeypatch.setattr(key_cache_module, "_read_row", None)
    monkeypatch.setattr("apikeys.key_cache.FRESH_SECONDS", 60)
    assert (await api.get("/stats")).status_code == 200


async def test_an_expiry_holds_to_the_moment_without_the_database(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    expires_at = timezone.now() + timedelta(hours=1)
    headers = bearer(issue_key(expires_at=expires_at))
    monkeypatch.setattr("apikeys.key_cache.FRESH_SECONDS", 60)
    for seconds, status in ((-0.001, 200), (0, 401)):
        moment = (expires_at + timedelta(seconds=seconds)).timestamp()
        monkeypatch.setattr("apikeys.authentication.time", lambda moment=moment: moment)
        assert (await anonymous.get("/keys/me", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda key: key_revoke(key=key, actor="tests"), 401),
        (lambda key: key_rotate(key=key, actor="tests", grace=timedelta(0)), 401),
        (lambda key: key_rotate(key=key, actor="tests"), 200),
        (lambda key: key_change(key=key, actor="tests", name="x", rate="", allowed_networks="10.0.0.0/8"), 403),
    ],
    ids=["revoked", "rotated without grace", "rotated", "networks"],
)
async def test_a_change_is_effective_within_a_second(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, change: Any, status: int
) -> None:
    token = issue_key()
    assert (await anonymous.get("/keys/me", headers=bearer(token))).status_code == 200
    in_orm(lambda: change(key_of(token)))
    await asyncio.sleep(key_cache_module.FRESH_SECONDS + 0.05)
    assert (await anonymous.get("/keys/me", headers=bearer(token))).status_code == status


async def test_both_keys_work_in_the_grace_period(anonymous: httpx.AsyncClient, issue_key: IssueKey) -> None:
    old = issue_key()
    new = in_orm(lambda: key_rotate(key=key_of(old), actor="tests").clear_text)
    for token in (old, new):
        assert (await anonymous.get("/keys/me", headers=bearer(token))).status_code == 200


@pytest.mark.once
async def test_a_key_is_refused_from_other_addresses(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, log: list[EventDict]
) -> None:
    here, elsewhere = issue_key(allowed_networks="127.0.0.0/8,::1"), issue_key(allowed_networks="10.0.0.0/8")
    assert (await anonymous.get("/keys/me", headers=bearer(here))).status_code == 200
    refused = await anonymous.get("/keys/me", headers=bearer(elsewhere))
    assert refused.status_code == 403
    assert "address" in refused.json()["detail"]
    assert [line["key_id"] for line in log if line["event"] == "key_address_refused"] == [elsewhere[9:17]]


async def test_nobody_is_let_in_when_the_database_cannot_be_read(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, log: list[EventDict]
) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("the disk is gone")

    assert (await api.get("/stats")).status_code == 200
    monkeypatch.setattr(key_cache_module, "_read_row", fail)
    monkeypatch.setattr("apikeys.key_cache.FRESH_SECONDS", 0)
    refused = await api.get("/stats")
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    assert "disk" not in refused.text
    assert "keys_unreadable" in [line["event"] for line in log]


async def test_a_restart_of_the_database_costs_no_request(api: httpx.AsyncClient, issue_key: IssueKey) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no server")
    tokens = [issue_key() for _ in range(8)]
    answers = await asyncio.gather(*(api.get("/keys/me", headers=bearer(token)) for token in tokens[:4]))
    await asyncio.to_thread(disconnect_all)
    answers += await asyncio.gather(*(api.get("/keys/me", headers=bearer(token)) for token in tokens[4:]))
    assert {answer.status_code for answer in answers} == {200}


async def test_nobody_is_let_in_when_the_database_does_not_answer(
    anonymous: httpx.AsyncClient,
    issue_key: IssueKey,
    change_settings: ChangeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = key_cache_module._read_row

    def dawdle(*arguments: Any) -> Any:
        time.sleep(0.3)
        return read(*arguments)

    monkeypatch.setattr(key_cache_module, "_read_row", dawdle)
    monkeypatch.setattr("apikeys.key_cache.FRESH_SECONDS", 60)
    change_settings(query_timeout=0.05)
    token = issue_key()
    headers = bearer(token)
    assert (await anonymous.get("/keys/me", headers=headers)).status_code == 503
    # The look-up went on, and serves the next request.
    await until(lambda: digest_of(token.encode()) in key_cache)
    assert (await anonymous.get("/keys/me", headers=headers)).status_code == 200


async def test_requests_that_come_together_share_one_look_up(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    read = key_cache_module._read_row

    def count(*arguments: Any) -> Any:
        reads.append(arguments)
        return read(*arguments)

    monkeypatch.setattr(key_cache_module, "_read_row", count)
    monkeypatch.setattr("apikeys.key_cache.FRESH_SECONDS", 60)
    headers = bearer(issue_key())
    answers = await asyncio.gather(*(anonymous.get("/keys/me", headers=headers) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(reads) == 1


async def test_a_request_that_comes_a_moment_late_is_served_by_the_look_up_before_it(
    issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issue_key()
    digest = digest_of(token.encode())
    first = await key_cache.read(digest, token[9:17])
    monkeypatch.setattr("apikeys.key_cache.FRESH_SECONDS", 60)
    assert await key_cache.read(digest, token[9:17]) is first


@pytest.mark.once
async def test_only_so_many_keys_are_remembered(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_cache_module, "MAX_KEYS", 2)
    tokens = [issue_key() for _ in range(3)]
    for token in tokens:
        assert (await anonymous.get("/keys/me", headers=bearer(token))).status_code == 200
    assert [digest_of(token.encode()) in key_cache for token in tokens] == [False, True, True]


@pytest.mark.once
@pytest.mark.parametrize(
    "token", ["k1", "skg_prod_7f3d9a1b2c4e5f6a8b9c0d1e2f3a4b5c6d7e8f9a0b", "pässword!", "two words"]
)
async def test_the_configured_key_may_be_any_text(
    anonymous: httpx.AsyncClient, token: str, change_settings: ChangeSettings
) -> None:
    key_hash = f"sha256:{digest_of(token.encode()).hex()}"
    change_settings(api_key_hash=key_hash)
    in_orm(adopt_configured_key, key_hash)
    header = {b"Authorization": f"Bearer {token}".encode()}
    answer = await anonymous.get("/keys/me", headers=header)
    assert answer.status_code == 200
    assert answer.json()["scopes"] == ["read", "write", "recurse", "admin"]
    # Only as long as the setting names it.
    change_settings(api_key_hash="")
    key_cache.clear()
    assert (await anonymous.get("/keys/me", headers=header)).status_code == 401


@pytest.mark.once
async def test_the_hash_of_nothing_lets_nobody_in(
    anonymous: httpx.AsyncClient, change_settings: ChangeSettings
) -> None:
    key_hash = f"sha256:{digest_of(b'').hex()}"
    change_settings(api_key_hash=key_hash)
    in_orm(adopt_configured_key, key_hash)
    assert (await anonymous.get("/keys/me", headers={"Authorization": "Bearer "})).status_code == 401


@pytest.mark.once
async def test_without_authentication_anybody_may_do_anything(
    anonymous: httpx.AsyncClient, change_settings: ChangeSettings
) -> None:
    change_settings(enable_auth=False)
    assert (await anonymous.get("/stats")).status_code == 200
    assert (await anonymous.get("/stats", headers=bearer("anything"))).status_code == 200
    issued = await anonymous.post("/keys", json={"name": "bob", "scopes": ["read"]})
    assert issued.status_code == 201
    assert (await anonymous.get("/keys/me")).status_code == 404


def key_of(token: str) -> ApiKey:
    return ApiKey.objects.get(public_id=token[9:17])
