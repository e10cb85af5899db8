"""Making and changing keys: what is stored, what is told, and what cannot be done."""

import fcntl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from structlog.typing import EventDict

from apikeys.keys import digest_of, parse_key
from apikeys.models import ApiKey, KeyEvent, Kind, Origin, State
from apikeys.services import (
    MAX_GRACE,
    IssuedKey,
    NotRotatable,
    adopt_configured_key,
    key_change,
    key_issue,
    key_revoke,
    key_rotate,
)
from skg_site.host.write_lock import locked_transaction

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

HASH = f"sha256:{digest_of(b'k1').hex()}"


def issue(**properties: Any) -> IssuedKey:
    return key_issue(**{"name": "bob", "scopes": ["read"], "actor": "tests"} | properties)


def kinds(key: ApiKey) -> list[str]:
    return list(key.events.order_by("id").values_list("kind", flat=True))


def test_a_key_is_stored_as_its_digest_and_shown_once() -> None:
    issued = issue(name=" bob ", scopes=["write", "read"], rate="5", allowed_networks="10.0.0.0/8")
    stored = ApiKey.objects.get()
    assert bytes(stored.digest) == digest_of(issued.clear_text.encode())
    assert stored.public_id == parse_key(issued.clear_text.encode()).public_id
    assert (stored.name, stored.scopes, stored.rate) == ("bob", "read write", "5/m")
    assert (stored.environment, stored.origin, stored.state) == ("prod", Origin.ISSUED, State.ACTIVE)
    rows = [*ApiKey.objects.values(), *KeyEvent.objects.values()]
    assert issued.clear_text not in repr(rows)


@pytest.mark.once
@pytest.mark.parametrize(
    "properties",
    [
        {"name": " "},
        {"scopes": []},
        {"scopes": ["fly"]},
        {"rate": "fast"},
        {"allowed_networks": "here"},
        {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
)
def test_nonsense_makes_no_key(properties: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        issue(**properties)
    assert not ApiKey.objects.exists()
    assert not KeyEvent.objects.exists()


def test_every_change_is_an_event_and_a_line_in_the_log_without_the_secret(log: list[EventDict]) -> None:
    issued = issue()
    key_change(key=issued.key, actor="user ann", name="rob", rate="", allowed_networks="")
    successor = key_rotate(key=issued.key, actor="user ann")
    key_revoke(key=issued.key, actor="user ann")
    assert kinds(issued.key) == [Kind.ISSUED, Kind.CHANGED, Kind.ROTATED, Kind.REVOKED]
    assert kinds(successor.key) == [Kind.ISSUED]
    assert [line["event"] for line in log] == ["key_issued", "key_changed", "key_rotated", "key_issued", "key_revoked"]
    assert {line["key_id"] for line in log} == {issued.key.public_id, successor.key.public_id}
    assert log[1]["changes"] == {"name": ["bob", "rob"]}
    for clear_text in (issued.clear_text, successor.clear_text):
        assert clear_text[-32:] not in repr(log) + repr(list(KeyEvent.objects.values()))


def test_a_change_that_is_rolled_back_is_not_logged(log: list[EventDict]) -> None:
    class Undone(Exception):
        pass

    def issue_and_fail() -> None:
        with transaction.atomic():
            issue()
            raise Undone

    with pytest.raises(Undone):
        issue_and_fail()
    assert log == []
    assert not ApiKey.objects.exists()


def test_both_keys_work_while_the_grace_period_lasts() -> None:
    old = issue(scopes=["read", "admin"], rate="9/s", allowed_networks="10.0.0.0/8").key
    new = key_rotate(key=old, actor="tests", grace=timedelta(hours=2)).key
    old.refresh_from_db()
    assert old.state is State.ROTATING
    assert old.expires_at is not None
    assert abs(old.expires_at - timezone.now() - timedelta(hours=2)) < timedelta(seconds=10)
    assert new.rotated_from == old
    assert new.state is State.ACTIVE
    assert new.digest != old.digest
    for field in ("name", "scopes", "rate", "allowed_networks", "lineage"):
        assert getattr(new, field) == getattr(old, field)


def test_a_grace_period_never_lengthens_a_life() -> None:
    end = timezone.now() + timedelta(minutes=5)
    old = issue(expires_at=end).key
    new = key_rotate(key=old, actor="tests", grace=timedelta(days=1)).key
    old.refresh_from_db()
    assert old.expires_at == new.expires_at == end


def test_without_grace_the_old_key_ends_at_once() -> None:
    old = issue().key
    key_rotate(key=old, actor="tests", grace=timedelta(0))
    old.refresh_from_db()
    assert old.state is State.EXPIRED


@pytest.mark.parametrize("grace", [timedelta(seconds=-1), MAX_GRACE + timedelta(seconds=1)])
def test_a_grace_period_has_bounds(grace: timedelta) -> None:
    with pytest.raises(ValueError, match="grace period"):
        key_rotate(key=issue().key, actor="tests", grace=grace)


def test_only_an_active_key_is_rotated() -> None:
    rotated, revoked, expired = issue().key, issue().key, issue().key
    key_rotate(key=rotated, actor="tests")
    key_revoke(key=revoked, actor="tests")
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    for key, reason in ((rotated, "rotated already"), (revoked, "been revoked"), (expired, "expired")):
        with pytest.raises(NotRotatable, match=reason):
            key_rotate(key=key, actor="tests")


def test_of_two_rotations_at_once_one_is_refused() -> None:
    key = issue().key

    def rotate(_: int) -> str:
        try:
            key_rotate(key=key, actor="tests")
        except NotRotatable:
            return "refused"
        finally:
            connection.close()
        return "rotated"

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(rotate, range(4))) == ["refused"] * 3 + ["rotated"]
    assert ApiKey.objects.count() == 2


def test_a_revocation_is_final() -> None:
    key = issue().key
    first = key_revoke(key=key, actor="tests").revoked_at
    assert key_revoke(key=key, actor="tests").revoked_at == first
    assert kinds(key) == [Kind.ISSUED, Kind.REVOKED]


def test_a_change_that_changes_nothing_is_no_event() -> None:
    key = issue(rate="5/s").key
    key_change(key=key, actor="tests", name="bob", rate="5/s", allowed_networks="")
    assert kinds(key) == [Kind.ISSUED]


def test_the_configured_key_gets_a_row_with_every_scope_once() -> None:
    for _ in range(3):
        adopt_configured_key(HASH)
    key = ApiKey.objects.get()
    assert bytes(key.digest) == digest_of(b"k1")
    assert (key.scopes, key.origin) == ("read write recurse admin", Origin.SETTINGS)
    assert kinds(key) == [Kind.ADOPTED]


def test_its_id_tells_nothing_of_its_digest() -> None:
    adopt_configured_key(HASH)
    first = ApiKey.objects.get().public_id
    KeyEvent.objects.all().delete()
    ApiKey.objects.all().delete()
    adopt_configured_key(HASH)
    assert ApiKey.objects.get().public_id != first


def test_no_setting_makes_no_key() -> None:
    adopt_configured_key("")
    assert not ApiKey.objects.exists()


def test_workers_that_start_together_make_one_row() -> None:
    def adopt(_: int) -> None:
        adopt_configured_key(HASH)
        connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(adopt, range(8)))
    assert ApiKey.objects.count() == KeyEvent.objects.count() == 1


def test_a_revoked_configured_key_stays_revoked_and_the_log_says_so(log: list[EventDict]) -> None:
    adopt_configured_key(HASH)
    key_revoke(key=ApiKey.objects.get(), actor="tests")
    log.clear()
    adopt_configured_key(HASH)
    assert ApiKey.objects.get().state is State.REVOKED
    assert [(line["event"], line["state"]) for line in log] == [("configured_key_does_not_work", "revoked")]


def test_an_issued_key_may_be_the_configured_one() -> None:
    issued = issue()
    adopt_configured_key(f"sha256:{digest_of(issued.clear_text.encode()).hex()}")
    assert ApiKey.objects.get().scopes == "read"


def test_keys_are_found_by_their_state() -> None:
    now = timezone.now()
    keys = {state: issue().key for state in State}
    key_rotate(key=keys[State.ROTATING], actor="tests")
    ApiKey.objects.filter(pk=keys[State.EXPIRED].pk).update(expires_at=now)
    key_revoke(key=keys[State.REVOKED], actor="tests")
    successor = ApiKey.objects.get(rotated_from=keys[State.ROTATING])
    now = timezone.now()
    for state in State:
        expected = {keys[state].pk} | ({successor.pk} if state is State.ACTIVE else set())
        assert {key.pk for key in ApiKey.objects.in_state(state, now)} == expected
        assert all(key.state is state for key in ApiKey.objects.in_state(state, now))


@pytest.mark.parametrize(
    "values",
    [
        {"scopes": "write read"},
        {"scopes": ""},
        {"scopes": "read read"},
        {"rate": "100"},
        {"rate": "/s"},
        {"rate": "1x/s"},
        {"rate": "100/d"},
        {"public_id": "short"},
        {"digest": b"x" * 31},
        {"name": ""},
        {"origin": "found"},
    ],
)
def test_the_database_refuses_what_no_key_can_be(values: dict[str, Any]) -> None:
    issue()
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.update(**values)


@pytest.mark.parametrize("rate", ["", "0", "1/s", "100/m", "999999999/h"])
def test_the_database_takes_what_a_rate_can_be(rate: str) -> None:
    issue()
    assert ApiKey.objects.update(rate=rate) == 1


def test_a_key_and_its_events_cannot_be_lost_to_a_deletion() -> None:
    issue()
    with pytest.raises(Exception, match="protected"):
        ApiKey.objects.get().delete()


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL needs no turns")
def test_keys_stand_in_the_queue_of_the_graphs_writers() -> None:
    def issue_elsewhere() -> None:
        issue()
        connection.close()

    with ThreadPoolExecutor(1) as threads:
        with (settings.ENV.state_dir / "write.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            waiting = threads.submit(issue_elsewhere)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.2)
            assert not ApiKey.objects.exists()
        waiting.result(timeout=10)
    assert ApiKey.objects.count() == 1


def test_a_turn_inside_a_transaction_is_a_part_of_it() -> None:
    with transaction.atomic(), locked_transaction():
        issue()
    assert ApiKey.objects.count() == 1
