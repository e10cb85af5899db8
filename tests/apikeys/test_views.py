"""Keys over HTTP."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys.keys import parse_key
from apikeys.models import ApiKey, KeyEvent
from apikeys.services import key_rotate
from apikeys.views import _page
from tests.apikeys.test_authentication import bearer, key_of
from tests.conftest import IssueKey
from tests.support.database import in_orm

pytestmark = pytest.mark.both


async def issue(client: httpx.AsyncClient, **properties: Any) -> httpx.Response:
    return await client.post("/keys", json={"name": "bob", "scopes": ["read"]} | properties)


async def test_an_issued_key_works(api: httpx.AsyncClient) -> None:
    answer = await issue(
        api, name="nightly import", scopes=["write", "read"], rate="5/s", allowed_networks=["127.0.0.1"]
    )
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    issued = answer.json()
    assert parse_key(issued["key"].encode()).public_id == issued["id"]
    shown = await api.get("/keys/me", headers=bearer(issued.pop("key")))
    assert shown.json() | {"last_used_at": None} == issued
    assert {name: issued[name] for name in ("name", "scopes", "rate", "allowed_networks", "state", "expires_at")} == {
        "name": "nightly import",
        "scopes": ["read", "write"],
        "rate": "5/s",
        "allowed_networks": ["127.0.0.1/32"],
        "state": "active",
        "expires_at": None,
    }


async def test_a_key_is_issued_for_a_time(api: httpx.AsyncClient) -> None:
    issued = (await issue(api, expires_in_seconds=3600)).json()
    expires_at = in_orm(lambda: ApiKey.objects.get(public_id=issued["id"]).expires_at)
    assert expires_at is not None
    assert abs(expires_at - timezone.now() - timedelta(hours=1)) < timedelta(seconds=10)
    assert issued["expires_at"] == f"{expires_at:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.once
@pytest.mark.parametrize(
    ("properties", "place"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "  "}, ["name"]),
        ({"name": "a\x00b"}, ["name"]),
        ({"name": "x" * 101}, ["name"]),
        ({"name": 5}, ["name"]),
        ({"scopes": []}, ["scopes"]),
        ({"scopes": ["read", "fly"]}, ["scopes", 1]),
        ({"scopes": "read"}, ["scopes"]),
        ({"expires_in_seconds": 0}, ["expires_in_seconds"]),
        ({"expires_in_seconds": "60"}, ["expires_in_seconds"]),
        ({"expires_in_seconds": 10**12}, ["expires_in_seconds"]),
        ({"rate": "fast"}, ["rate"]),
        ({"rate": 5}, ["rate"]),
        ({"allowed_networks": ["here"]}, ["allowed_networks", 0]),
        ({"allowed_networks": ["10.0.0.0/8,11.0.0.0/8"]}, ["allowed_networks", 0]),
        ({"allowed_networks": [""]}, ["allowed_networks", 0]),
        ({"colour": "red"}, ["colour"]),
    ],
)
async def test_nonsense_is_refused_with_its_place(
    api: httpx.AsyncClient, properties: dict[str, Any], place: list[Any]
) -> None:
    answer = await issue(api, **properties)
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["errors"]] == [place]
    assert in_orm(ApiKey.objects.count) == 1


HOSTILE: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "name is null": ({"name": None}, ["name"]),
    "name is a number": ({"name": 1e308}, ["name"]),
    "name is a list": ({"name": ["bob"]}, ["name"]),
    "name of marks that turn the direction": ({"name": "\u202ebob"}, ["name"]),
    "name of a lone surrogate": ({"name": "\ud800"}, ["name"]),
    "name too long once composed": ({"name": "e\u0300" * 101}, ["name"]),
    "scope in capitals": ({"scopes": ["READ"]}, ["scopes", 0]),
    "scope with a space": ({"scopes": ["read "]}, ["scopes", 0]),
    "scopes in one": ({"scopes": ["read write"]}, ["scopes", 0]),
    "scope in other letters": ({"scopes": ["re\u0430d"]}, ["scopes", 0]),
    "scope is null": ({"scopes": [None]}, ["scopes", 0]),
    "scopes are null": ({"scopes": None}, ["scopes"]),
    "scopes are an object": ({"scopes": {"read": True}}, ["scopes"]),
    "expiry in the past": ({"expires_in_seconds": -1}, ["expires_in_seconds"]),
    "expiry beyond a date": ({"expires_in_seconds": 2**53}, ["expires_in_seconds"]),
    "expiry beyond a number": ({"expires_in_seconds": 1e300}, ["expires_in_seconds"]),
    "expiry of a part of a second": ({"expires_in_seconds": 0.5}, ["expires_in_seconds"]),
    "expiry is true": ({"expires_in_seconds": True}, ["expires_in_seconds"]),
    "rate in powers": ({"rate": "1e9/s"}, ["rate"]),
    "rate in base 16": ({"rate": "0x10"}, ["rate"]),
    "rate in other digits": ({"rate": "\u0661\u0660/s"}, ["rate"]),
    "rate with a sign": ({"rate": "-5/s"}, ["rate"]),
    "rate with a group": ({"rate": "1_000/s"}, ["rate"]),
    "rate in a unit of its own": ({"rate": "5/d"}, ["rate"]),
    "rate with a line break": ({"rate": "5/s\n"}, ["rate"]),
    "rate of too many digits": ({"rate": "1000000000/s"}, ["rate"]),
    "rate is empty": ({"rate": ""}, ["rate"]),
    "network of an interface": ({"allowed_networks": ["fe80::1%eth0"]}, ["allowed_networks", 0]),
    "network with a zero byte": ({"allowed_networks": ["fe80::1%\0"]}, ["allowed_networks", 0]),
    "network too narrow": ({"allowed_networks": ["10.0.0.0/33"]}, ["allowed_networks", 0]),
    "network in other digits": ({"allowed_networks": ["\u0661\u0660.0.0.0/8"]}, ["allowed_networks", 0]),
    "network is a number": ({"allowed_networks": [167772160]}, ["allowed_networks", 0]),
    "network is very long": ({"allowed_networks": ["1" * 5000]}, ["allowed_networks", 0]),
    "networks in one": ({"allowed_networks": "10.0.0.0/8"}, ["allowed_networks"]),
    "networks are null": ({"allowed_networks": None}, ["allowed_networks"]),
    "too many networks": ({"allowed_networks": ["10.0.0.0/8"] * 101}, ["allowed_networks"]),
}


@pytest.mark.once
@pytest.mark.parametrize(("properties", "place"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_input_is_refused_with_its_place(
    api: httpx.AsyncClient, properties: dict[str, Any], place: list[Any]
) -> None:
    # As escapes, in which JSON can hold what UTF-8 cannot.
    body = json.dumps({"name": "bob", "scopes": ["read"]} | properties)
    answer = await api.post("/keys", content=body, headers={"Content-Type": "application/json"})
    # A text that is no Unicode is refused before it has a place.
    assert answer.status_code in ({400, 422} if "ud800" in body else {422}), answer.text
    # Nobody has to read a regular expression.
    assert "pattern" not in answer.text
    assert len(answer.content) < 5000
    if answer.status_code == 422:
        assert [error["loc"] for error in answer.json()["errors"]] == [place]
    assert in_orm(ApiKey.objects.count) == 1


@pytest.mark.once
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"name": "pe\u0300re "}, {"name": "p\u00e8re"}),
        ({"name": "e\u0300" * 100}, {"name": "\u00e8" * 100}),
        ({"scopes": ["read", "read", "write", "read"]}, {"scopes": ["read", "write"]}),
        ({"expires_in_seconds": 60.0}, {}),
        ({"rate": "007/s"}, {"rate": "7/s"}),
        ({"rate": "0/h"}, {"rate": "0"}),
        ({"rate": "999999999/s"}, {"rate": "999999999/s"}),
        ({"allowed_networks": ["10.1.2.3/8"]}, {"allowed_networks": ["10.0.0.0/8"]}),
        ({"allowed_networks": ["::ffff:10.0.0.0/104"]}, {"allowed_networks": ["10.0.0.0/8"]}),
        ({"allowed_networks": ["10.0.0.0/8"] * 100}, {"allowed_networks": ["10.0.0.0/8"]}),
    ],
)
async def test_what_can_be_understood_is_kept_in_its_one_form(
    api: httpx.AsyncClient, given: dict[str, Any], kept: dict[str, Any]
) -> None:
    answer = await issue(api, **given)
    assert answer.status_code == 201, answer.text
    assert {name: answer.json()[name] for name in kept} == kept


async def test_keys_are_listed_newest_first_in_pages(api: httpx.AsyncClient, issue_key: IssueKey) -> None:
    for number in range(4):
        issue_key(name=f"key {number}")
    names: list[str] = []
    page: dict[str, Any] = {"next_cursor": ""}
    while page["next_cursor"] is not None:
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        page = (await api.get("/keys", params={"limit": 2, **cursor})).json()
        names += [key["name"] for key in page["keys"]]
        # Made between two pages, it stands before both.
        issue_key(name="between")
    assert names == ["key 3", "key 2", "key 1", "key 0", "test"]
    assert "key" not in (await api.get("/keys")).json()["keys"][0]


@pytest.mark.once
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "cursor=", "cursor=xyz", "page=2", "limit=1&limit=2"]
)
async def test_a_list_refuses_what_it_does_not_know(api: httpx.AsyncClient, query: str) -> None:
    assert (await api.get(f"/keys?{query}")).status_code == 422


def test_a_page_is_one_query_however_long_it_is(issue_key: IssueKey) -> None:
    def rotate(token: str) -> None:
        key_rotate(key=key_of(token), actor="tests")

    for _ in range(3):
        in_orm(rotate, issue_key())

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            _page(100, None)
        return len(queries)

    assert in_orm(count) == 1


async def test_a_key_rotates_itself(anonymous: httpx.AsyncClient, issue_key: IssueKey) -> None:
    old = issue_key(scopes=["read"])
    answer = await anonymous.post("/keys/me/rotate", headers=bearer(old))
    assert answer.status_code == 201
    new = answer.json()
    assert new["rotated_from"] == old[9:17]
    assert new["scopes"] == ["read"]
    before = (await anonymous.get("/keys/me", headers=bearer(old))).json()
    assert (before["state"], before["successor"]) == ("rotating", new["id"])
    assert (await anonymous.get("/keys/me", headers=bearer(new["key"]))).status_code == 200
    again = await anonymous.post("/keys/me/rotate", headers=bearer(old))
    assert again.status_code == 409
    assert "rotated already" in again.json()["detail"]


@pytest.mark.once
async def test_the_grace_period_is_the_callers_choice(api: httpx.AsyncClient, issue_key: IssueKey) -> None:
    token = issue_key()
    answer = await api.post(f"/keys/{token[9:17]}/rotate", json={"grace_seconds": 60})
    assert answer.status_code == 201
    expires_at = in_orm(lambda: key_of(token).expires_at)
    assert expires_at is not None
    assert timedelta(seconds=50) < expires_at - timezone.now() <= timedelta(seconds=60)


@pytest.mark.once
@pytest.mark.parametrize(
    "body", [{"grace_seconds": -1}, {"grace_seconds": 90 * 86_400 + 1}, {"grace_seconds": "1"}, {"x": 1}, []]
)
async def test_other_bodies_do_not_rotate(api: httpx.AsyncClient, body: Any) -> None:
    assert (await api.post("/keys/me/rotate", json=body)).status_code == 422
    assert in_orm(ApiKey.objects.count) == 1


async def test_revoking_again_changes_nothing(api: httpx.AsyncClient, issue_key: IssueKey) -> None:
    key_id = issue_key()[9:17]
    first = await api.post(f"/keys/{key_id}/revoke")
    assert first.status_code == 200
    assert first.json()["state"] == "revoked"
    second = await api.post(f"/keys/{key_id}/revoke", json={})
    assert second.json() == first.json()
    assert (await api.post(f"/keys/{key_id}/rotate")).status_code == 409
    assert (await api.post(f"/keys/{key_id}/revoke", json={"why": "lost"})).status_code == 422
    actor = in_orm(lambda: KeyEvent.objects.get(kind="revoked").actor)
    assert actor == f"key {api.headers['Authorization'][16:24]}"


@pytest.mark.parametrize(
    "key_id", ["00000000", "short", "longer-than-eight", "%00%00%00%00%00%00%00%00", "%F0%9F%94%91"]
)
@pytest.mark.parametrize("action", ["revoke", "rotate"])
async def test_an_unknown_id_is_not_found(api: httpx.AsyncClient, key_id: str, action: str) -> None:
    answer = await api.post(f"/keys/{key_id}/{action}")
    assert answer.status_code == 404
    assert answer.json()["title"] == "Not Found"


async def test_an_admin_key_that_ends_itself_is_out(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apikeys.key_cache.FRESH_SECONDS", 0)
    key_id = api.headers["Authorization"][16:24]
    assert (await api.post(f"/keys/{key_id}/revoke")).status_code == 200
    assert (await api.get("/keys/me")).status_code == 401
