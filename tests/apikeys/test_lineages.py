"""Rows of rotations: what is revoked with a key, and what goes on."""

from typing import Any

import httpx
import pytest

from apikeys.lineages import newest_named, revoke
from apikeys.models import ApiKey, State
from apikeys.services import key_issue, key_rotate
from tests.apikeys.test_authentication import bearer, key_of
from tests.conftest import IssueKey
from tests.support.database import in_orm

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


def issue(name: str = "bob") -> ApiKey:
    return key_issue(name=name, scopes=["read"], actor="tests").key


def ids(keys: list[ApiKey]) -> list[str]:
    return [key.public_id for key in keys]


def test_a_revoked_key_leaves_its_successor_and_says_so() -> None:
    old = issue()
    new = key_rotate(key=old, actor="the thief").key
    revocation = revoke(key=old, actor="tests")
    assert ids(revocation.still_working) == [new.public_id]
    assert revocation.also_revoked == []
    assert new.public_id in list(revocation.sentences)[1]
    # A key that has been revoked already can still be followed.
    revocation = revoke(key=old, actor="tests", lineage=True)
    assert ids(revocation.also_revoked) == [new.public_id]
    assert revocation.still_working == []
    new.refresh_from_db()
    assert new.state is State.REVOKED


def test_the_whole_row_is_revoked_from_wherever_it_is_named() -> None:
    for place in range(3):
        row = [issue()]
        for _ in range(2):
            row.append(key_rotate(key=row[-1], actor="tests").key)
        other = issue()
        revocation = revoke(key=row[place], actor="tests", lineage=True)
        assert {revocation.key, *revocation.also_revoked} == set(row)
        other.refresh_from_db()
        assert other.state is State.ACTIVE


def test_keys_that_were_made_with_it_are_named() -> None:
    admin = issue("admin")
    successor = key_rotate(key=admin, actor="tests").key
    made = [key_issue(name="made", scopes=["read"], actor=f"key {maker.public_id}").key for maker in (admin, successor)]
    revocation = revoke(key=admin, actor="tests", lineage=True)
    assert ids(revocation.issued_still_working) == ids(made)
    assert list(revocation.sentences)[-1] == f"Made with it, and still working: {', '.join(ids(made))}."


def test_a_name_means_the_newest_of_each_row() -> None:
    first, second = issue(), issue()
    newest = key_rotate(key=first, actor="tests").key
    issue("rob")
    assert ids(newest_named("bob")) == ids([newest, second])
    revoke(key=newest, actor="tests")
    assert ids(newest_named("bob")) == ids([first, second])


@pytest.mark.once
@pytest.mark.parametrize("body", [{"lineage": "yes"}, {"lineage": None}, {"lineage": 1}, {"row": True}, []])
async def test_other_bodies_do_not_revoke(api: httpx.AsyncClient, issue_key: IssueKey, body: Any) -> None:
    token = issue_key()
    assert (await api.post(f"/keys/{token[9:17]}/revoke", json=body)).status_code == 422
    assert in_orm(lambda: key_of(token).state) is State.ACTIVE


async def test_the_thief_of_a_key_is_locked_out_over_http(
    api: httpx.AsyncClient, issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apikeys.key_cache.FRESH_SECONDS", 0)
    stolen = issue_key()
    taken = (await api.post("/keys/me/rotate", json={"grace_seconds": 0}, headers=bearer(stolen))).json()
    issued = (await api.post("/keys", json={"name": "x", "scopes": ["read"]}, headers=bearer(taken["key"]))).json()
    told = (await api.post(f"/keys/{stolen[9:17]}/revoke")).json()
    assert (told["state"], told["also_revoked"]) == ("revoked", [])
    assert (told["still_working"], told["issued_still_working"]) == ([taken["id"]], [issued["id"]])
    assert (await api.get("/keys/me", headers=bearer(taken["key"]))).status_code == 200
    told = (await api.post(f"/keys/{stolen[9:17]}/revoke", json={"lineage": True})).json()
    assert (told["also_revoked"], told["still_working"]) == ([taken["id"]], [])
    assert (await api.get("/keys/me", headers=bearer(taken["key"]))).status_code == 401
