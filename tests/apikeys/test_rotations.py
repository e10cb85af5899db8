"""`apikey rotate --emergency`: keys that are in wrong hands."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apikeys.keys import parse_key
from apikeys.models import ApiKey, KeyEvent, Kind, State
from apikeys.services import key_issue, key_revoke, key_rotate

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command("apikey", "rotate", *arguments, stdout=output)
    return output.getvalue()


def replaced(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--emergency", "--yes", "--json"))


def issue(name: str = "bob", *scopes: str) -> ApiKey:
    return key_issue(name=name, scopes=scopes or ["read"], actor="tests").key


def states(*keys: ApiKey) -> list[State]:
    for key in keys:
        key.refresh_from_db()
    return [ApiKey.objects.get(pk=key.pk).state for key in keys]


def test_the_key_and_all_of_its_row_end_at_once() -> None:
    first = issue()
    second = key_rotate(key=first, actor="tests").key
    other = issue()
    content = replaced(first.public_id)
    third = ApiKey.objects.get(public_id=content["id"])
    assert parse_key(content["key"].encode()).public_id == third.public_id
    assert (third.rotated_from, third.lineage) == (second, first.lineage)
    assert states(first, second, third, other) == [State.REVOKED, State.REVOKED, State.ACTIVE, State.ACTIVE]
    assert {key["id"] for key in content["replaced"]} == {first.public_id, second.public_id}
    assert KeyEvent.objects.filter(kind=Kind.REVOKED).count() == 2


@pytest.mark.once
def test_it_says_what_has_ended() -> None:
    key = issue()
    shown = run("bob", "--emergency", "--yes")
    assert f"The old key {key.public_id} is revoked.\n" in shown
    assert "Keep it now." in shown


def test_a_grace_period_can_be_given_and_shortens_longer_ones() -> None:
    first = issue()
    second = key_rotate(key=first, actor="tests", grace=timedelta(days=2)).key
    brief = key_rotate(key=issue("brief"), actor="tests", grace=timedelta(seconds=30)).key
    before = timezone.now()
    for key in (second, brief):
        run(key.public_id, "--emergency", "--yes", "--grace", "5m")
    for key in (first, second, brief):
        key.refresh_from_db()
        assert key.expires_at is not None
        assert before < key.expires_at <= timezone.now() + timedelta(minutes=5)
    assert KeyEvent.objects.get(kind=Kind.CHANGED).key == first
    assert brief.rotated_from is not None
    assert states(first, second, brief.rotated_from) == [State.ROTATING] * 3


@pytest.mark.once
def test_all_keys_with_a_scope() -> None:
    reader, writer = issue("reader", "read"), issue("writer", "read", "write")
    [content] = replaced("--scope", "write")
    assert content["rotated_from"] == writer.public_id
    assert states(reader, writer) == [State.ACTIVE, State.REVOKED]


def test_all_keys() -> None:
    rotated = issue("a")
    key_rotate(key=rotated, actor="tests")
    issue("b")
    gone = key_revoke(key=issue("c"), actor="tests")
    assert [content["name"] for content in replaced("--all")] == ["a", "b"]
    assert ApiKey.objects.working(timezone.now()).count() == 2
    assert states(gone) == [State.REVOKED]


@pytest.mark.once
def test_where_the_newest_key_does_not_work_the_others_are_named() -> None:
    first, fine = issue("a"), issue("b")
    key_revoke(key=key_rotate(key=first, actor="tests").key, actor="tests")
    output = io.StringIO()
    with pytest.raises(CommandError, match=f"has been revoked. Of its row, .* can be revoked: {first.public_id}"):
        call_command("apikey", "rotate", "--all", "--emergency", "--yes", "--json", stdout=output)
    assert [content["rotated_from"] for content in json.loads(output.getvalue())] == [fine.public_id]
    assert states(first, fine) == [State.ROTATING, State.REVOKED]


@pytest.mark.once
def test_one_key_that_cannot_be_replaced_prints_nothing() -> None:
    key = key_revoke(key=issue(), actor="tests")
    output = io.StringIO()
    with pytest.raises(CommandError, match="can be revoked: none"):
        call_command("apikey", "rotate", key.public_id, "--emergency", "--yes", "--json", stdout=output)
    assert output.getvalue() == ""


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name one key"),
        (["bob", "--all", "--emergency"], "Name one key"),
        (["--all"], "Only --emergency replaces many keys"),
        (["--scope", "read", "--emergency", "--secrets-manager", "skg"], "do not fit into one secret"),
    ],
)
def test_what_makes_no_sense_is_said(arguments: list[str], message: str) -> None:
    issue()
    with pytest.raises(CommandError, match=message) as raised:
        run(*arguments)
    assert raised.value.returncode == 2
    assert ApiKey.objects.count() == 1


@pytest.mark.once
def test_where_no_key_works_there_is_nothing_to_replace() -> None:
    with pytest.raises(CommandError, match="No working key"):
        run("--all", "--emergency", "--yes")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.once
def test_it_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    key = issue()
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    with pytest.raises(CommandError, match="Nothing was replaced"):
        run("bob", "--emergency")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(CommandError, match="--yes"):
        run("bob", "--emergency")
    assert states(key) == [State.ACTIVE]
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    run("bob", "--emergency")
    assert states(key) == [State.REVOKED]
