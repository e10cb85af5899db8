"""What a key hands on over HTTP: never more than it has."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from apikeys.delegation import BeyondIssuer, require_within
from apikeys.models import ApiKey
from apikeys.services import key_rotate
from skg_site.api.addresses import parse_networks
from tests.apikeys.test_authentication import bearer, key_of
from tests.conftest import ChangeSettings, IssueKey
from tests.support.database import in_orm

HERE = "127.0.0.0/8"
HOUR = timedelta(hours=1)


async def issue(client: httpx.AsyncClient, token: str, **wanted: Any) -> httpx.Response:
    return await client.post("/keys", json={"name": "new", "scopes": ["admin"]} | wanted, headers=bearer(token))


def stored(answer: httpx.Response) -> ApiKey:
    assert answer.status_code == 201, answer.text
    return in_orm(lambda: ApiKey.objects.get(public_id=answer.json()["id"]))


async def test_what_is_not_said_is_as_the_key_that_asks_has_it(
    anonymous: httpx.AsyncClient, issue_key: IssueKey
) -> None:
    admin = issue_key(expires_at=timezone.now() + HOUR, allowed_networks=f"{HERE},10.0.0.0/8")
    expires_at = in_orm(lambda: key_of(admin).expires_at)
    new = stored(await issue(anonymous, admin))
    assert (new.expires_at, new.allowed_networks) == (expires_at, f"10.0.0.0/8,{HERE}")
    # And so for the keys that this one makes.
    last = stored(await issue(anonymous, (await issue(anonymous, admin)).json()["key"], expires_in_seconds=60))
    assert last.expires_at is not None
    assert expires_at is not None
    assert last.expires_at < expires_at
    assert last.allowed_networks == f"10.0.0.0/8,{HERE}"


@pytest.mark.parametrize(
    ("limits", "wanted", "told"),
    [
        ({"scopes": ["admin"]}, {"scopes": ["read"]}, "lacks the scope read"),
        ({"scopes": ["admin", "read"]}, {"scopes": ["write", "recurse", "read"]}, "the scope write and recurse"),
        ({"expires_at": HOUR}, {"expires_in_seconds": 3700}, "it expires at 20"),
        ({"expires_at": HOUR}, {"expires_in_seconds": 315_360_000}, "it expires at 20"),
        ({"allowed_networks": HERE}, {"allowed_networks": ["10.0.0.0/8"]}, "it is bound to 127.0.0.0/8"),
        ({"allowed_networks": HERE}, {"allowed_networks": ["127.0.0.1", "127.0.0.0/7"]}, "it is bound to"),
        ({"allowed_networks": HERE}, {"allowed_networks": ["0.0.0.0/0"]}, "it is bound to"),
        ({"allowed_networks": HERE}, {"allowed_networks": ["::/0"]}, "it is bound to"),
        ({"allowed_networks": HERE}, {"allowed_networks": ["::ffff:10.0.0.0/104"]}, "it is bound to"),
    ],
)
async def test_more_than_the_key_that_asks_has_is_refused(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, limits: dict[str, Any], wanted: dict[str, Any], told: str
) -> None:
    if "expires_at" in limits:
        limits = limits | {"expires_at": timezone.now() + limits["expires_at"]}
    answer = await issue(anonymous, issue_key(**limits), **wanted)
    assert answer.status_code == 403
    assert told in answer.json()["detail"]
    assert in_orm(ApiKey.objects.count) == 1


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ({"scopes": ["admin", "read"]}, {"scopes": ["read"]}),
        ({"expires_at": HOUR}, {"expires_in_seconds": 3000}),
        ({"allowed_networks": HERE}, {"allowed_networks": ["127.0.0.1", "127.1.0.0/16"]}),
        ({"allowed_networks": HERE}, {"allowed_networks": ["::ffff:127.0.0.1"]}),
        ({"allowed_networks": f"{HERE},2001:db8::/32"}, {"allowed_networks": ["2001:db8:1::/48"]}),
        ({}, {"expires_in_seconds": None, "allowed_networks": []}),
    ],
)
async def test_as_much_or_less_is_given(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, limits: dict[str, Any], wanted: dict[str, Any]
) -> None:
    if "expires_at" in limits:
        limits = limits | {"expires_at": timezone.now() + limits["expires_at"]}
    assert (await issue(anonymous, issue_key(**limits), **wanted)).status_code == 201


@pytest.mark.parametrize(
    "limits",
    [{"scopes": ["admin"]}, {"expires_at": HOUR}, {"allowed_networks": HERE}],
    ids=lambda limits: next(iter(limits)),
)
async def test_a_key_that_may_do_more_is_not_given_out_by_rotating_it(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, limits: dict[str, Any]
) -> None:
    if "expires_at" in limits:
        limits = limits | {"expires_at": timezone.now() + limits["expires_at"]}
    admin, target = issue_key(**limits), issue_key()
    refused = await anonymous.post(f"/keys/{target[9:17]}/rotate", headers=bearer(admin))
    assert refused.status_code == 403
    assert "cannot hand on more" in refused.json()["detail"]
    assert in_orm(ApiKey.objects.count) == 2
    # Its own successor has what it has.
    own = await anonymous.post("/keys/me/rotate", json={"grace_seconds": 60}, headers=bearer(admin))
    assert own.status_code == 201
    equal = in_orm(lambda: key_rotate(key=key_of(own.json()["key"]), actor="tests", grace=HOUR).clear_text)
    by_id = await anonymous.post(f"/keys/{equal[9:17]}/rotate", headers=bearer(equal))
    assert by_id.status_code == 201


async def test_a_key_that_is_being_replaced_makes_none_that_outlives_it(
    anonymous: httpx.AsyncClient, issue_key: IssueKey
) -> None:
    old = issue_key()
    successor = in_orm(lambda: key_rotate(key=key_of(old), actor="tests", grace=HOUR).key.public_id)
    assert (await anonymous.post(f"/keys/{successor}/rotate", headers=bearer(old))).status_code == 403
    assert stored(await issue(anonymous, old)).expires_at == in_orm(lambda: key_of(old).expires_at)


async def test_without_authentication_there_is_nobody_to_exceed(
    anonymous: httpx.AsyncClient, change_settings: ChangeSettings, issue_key: IssueKey
) -> None:
    change_settings(enable_auth=False)
    answer = await anonymous.post("/keys", json={"name": "new", "scopes": ["read"]})
    assert answer.status_code == 201
    assert (await anonymous.post(f"/keys/{answer.json()['id']}/rotate")).status_code == 201


def test_all_that_is_too_much_is_told_at_once() -> None:
    issuer = ApiKey(scopes="admin", expires_at=datetime(2020, 1, 2, tzinfo=UTC), allowed_networks="10.0.0.0/8")
    with pytest.raises(BeyondIssuer) as raised:
        require_within(issuer, scopes=["read", "admin"], expires_at=None, networks=parse_networks("10.0.0.0/7"))
    assert str(raised.value) == (
        "The key that asks cannot hand on more than it has: it lacks the scope read; it expires at "
        "2020-01-02T00:00:00Z, in 0 seconds; it is bound to 10.0.0.0/8."
    )
