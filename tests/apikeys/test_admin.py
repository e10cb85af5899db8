"""Keys and their events in the admin: shown once, ended only by a POST, and never rewritten."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apikeys.keys import digest_of
from apikeys.models import ApiKey, KeyEvent, Kind, State
from apikeys.services import NotRotatable, key_issue, key_revoke, key_rotate

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

LIST = "/admin/apikeys/apikey/"
EVENTS = "/admin/apikeys/keyevent/"
TOKEN = re.compile(r"skg_prod_[0-9A-Za-z]{40}")


def issue(**properties: Any) -> ApiKey:
    return key_issue(**{"name": "bob", "scopes": ["read"], "actor": "tests"} | properties).key


def page(name: str, key: ApiKey) -> str:
    return reverse(f"admin:apikeys_apikey_{name}", args=[key.pk])


def text_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


@pytest.fixture
def admin() -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("ann"))
    return client


@pytest.fixture
def clerk() -> Client:
    """Somebody who may look at keys and do nothing to them."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_apikey", "view_keyevent"]))
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def add(client: Client, **fields: Any) -> Any:
    form = {"name": "bob", "scopes": ["read", "admin"], "rate": "", "allowed_networks": ""} | fields
    return client.post(f"{LIST}add/", form)


def test_an_issued_key_is_on_the_page_that_answers_and_nowhere_else(admin: Client) -> None:
    answer = add(admin, name=" bob ", rate="5", allowed_networks="10.0.0.0/8 , 192.0.2.7")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    tokens = set(TOKEN.findall(text_of(answer)))
    assert len(tokens) == 1
    key = ApiKey.objects.get()
    assert bytes(key.digest) == digest_of(tokens.pop().encode())
    assert (key.name, key.scopes, key.rate) == ("bob", "read admin", "5/m")
    assert key.allowed_networks == "10.0.0.0/8,192.0.2.7/32"
    event = KeyEvent.objects.get()
    assert (event.kind, event.actor) == (Kind.ISSUED, "user ann")
    for path in (LIST, page("change", key), page("history", key), EVENTS):
        assert not TOKEN.search(text_of(admin.get(path)))
    assert not TOKEN.search(repr(dict(admin.session)))


@pytest.mark.once
def test_the_page_needs_no_inline_script(admin: Client) -> None:
    answer = add(admin)
    directives = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert directives.get("script-src", directives["default-src"]) == "'self'"
    scripts = re.findall(r"<script([^>]*)>", text_of(answer))
    assert scripts
    assert all("src=" in script for script in scripts)


@pytest.mark.once
def test_a_key_is_issued_with_an_expiry(admin: Client) -> None:
    add(admin, expires_at_0="2099-01-01", expires_at_1="12:00")
    expires_at = ApiKey.objects.get().expires_at
    assert expires_at is not None
    assert expires_at.isoformat() == "2099-01-01T12:00:00+00:00"


@pytest.mark.once
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "a\nb"}, "control characters"),
        ({"scopes": []}, "This field is required"),
        ({"scopes": ["fly"]}, "Select a valid choice"),
        ({"rate": "fast"}, "The rate must be"),
        ({"allowed_networks": "here"}, "does not appear to be"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "12:00"}, "must lie in the future"),
    ],
)
def test_a_mistake_in_the_form_is_shown_beside_its_field(admin: Client, fields: dict[str, Any], message: str) -> None:
    answer = add(admin, **fields)
    assert message in text_of(answer)
    assert not ApiKey.objects.exists()


def test_rotating_shows_the_successor_once(admin: Client) -> None:
    old = issue()
    assert "1 day" in text_of(admin.get(page("rotate", old)))
    assert ApiKey.objects.count() == 1
    answer = admin.post(page("rotate", old), {"grace": "168"})
    new = ApiKey.objects.get(rotated_from=old)
    assert {token[9:17] for token in TOKEN.findall(text_of(answer))} == {new.public_id}
    old.refresh_from_db()
    assert old.state is State.ROTATING
    assert old.expires_at is not None
    assert abs(old.expires_at - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)
    assert admin.post(page("rotate", old), {"grace": "24"}).status_code == 403


@pytest.mark.once
def test_of_two_who_rotate_a_key_at_once_one_is_told(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    key = issue()

    def come_late(**_: Any) -> None:
        raise NotRotatable("The key has been rotated already.")

    monkeypatch.setattr("apikeys.admin.key_rotate", come_late)
    answer = admin.post(page("rotate", key), {"grace": "24"}, follow=True)
    assert "has been rotated already" in text_of(answer)


@pytest.mark.once
def test_a_successor_links_to_the_key_before_it(admin: Client) -> None:
    old = issue()
    new = key_rotate(key=old, actor="tests").key
    assert f'href="{page("change", new)}"' in text_of(admin.get(page("change", old)))
    assert f'href="{page("change", old)}"' in text_of(admin.get(page("change", new)))


@pytest.mark.once
def test_a_grace_period_is_one_of_those_offered(admin: Client) -> None:
    key = issue()
    assert "Select a valid choice" in text_of(admin.post(page("rotate", key), {"grace": "9999"}))
    assert ApiKey.objects.count() == 1


def test_revoking_asks_and_then_needs_a_post(admin: Client) -> None:
    key = issue()
    assert "cannot be taken back" in text_of(admin.get(page("revoke", key)))
    assert not KeyEvent.objects.filter(kind=Kind.REVOKED).exists()
    answer = admin.post(page("revoke", key), follow=True)
    assert "is revoked" in text_of(answer)
    key.refresh_from_db()
    assert key.state is State.REVOKED
    assert list(key.events.values_list("actor", "kind"))[-1] == ("user ann", Kind.REVOKED)


@pytest.mark.once
@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_a_form_of_another_site_does_nothing(action: str) -> None:
    key = issue()
    client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("ann"))
    assert client.post(page(action, key), {"grace": "24"}).status_code == 403
    assert KeyEvent.objects.count() == 1


def test_name_and_limits_of_a_working_key_can_be_changed(admin: Client) -> None:
    key = issue()
    form = {
        "name": "rob",
        "rate": "7/s",
        "allowed_networks": "10.0.0.0/8",
        "scopes": ["admin"],
        "events-TOTAL_FORMS": 0,
    }
    assert admin.post(page("change", key), form | {"events-INITIAL_FORMS": 0}).status_code == 302
    key.refresh_from_db()
    assert (key.name, key.rate, key.allowed_networks) == ("rob", "7/s", "10.0.0.0/8")
    assert key.scopes == "read"
    event = KeyEvent.objects.get(kind=Kind.CHANGED)
    assert event.detail["changes"] == {
        "name": ["bob", "rob"],
        "rate": ["", "7/s"],
        "allowed_networks": ["", "10.0.0.0/8"],
    }
    assert "name: bob → rob; rate: none → 7/s" in text_of(admin.get(EVENTS))


@pytest.mark.once
def test_a_row_of_rotations_is_revoked_together_if_that_is_wanted(admin: Client) -> None:
    old = issue()
    new = key_rotate(key=old, actor="tests").key
    assert str(new) in text_of(admin.get(page("revoke", old)))
    assert "row of rotations" not in text_of(admin.get(page("revoke", issue(name="other"))))
    shown = text_of(admin.post(page("revoke", old), follow=True))
    assert f"still working: {new.public_id}" in shown
    newest = key_rotate(key=new, actor="tests").key
    shown = text_of(admin.post(page("revoke", new), {"lineage": "on"}, follow=True))
    assert f"revoked too: {newest.public_id}" in shown
    assert {key.state for key in ApiKey.objects.filter(name="bob")} == {State.REVOKED}
    assert LogEntry.objects.filter(object_id=str(newest.pk), change_message="Revoked.").count() == 1


@pytest.mark.once
def test_a_key_that_has_ended_can_only_be_looked_at(admin: Client) -> None:
    revoked, expired = issue(), issue()
    key_revoke(key=revoked, actor="tests")
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    for key in (revoked, expired):
        shown = text_of(admin.get(page("change", key)))
        assert 'name="_save"' not in shown
        assert page("revoke", key) not in shown
        assert page("rotate", key) not in shown
        for action in ("change", "rotate", "revoke"):
            assert admin.post(page(action, key), {"name": "x", "grace": "24"}).status_code == 403


@pytest.mark.once
def test_nothing_is_deleted_here(admin: Client) -> None:
    key = issue()
    event = KeyEvent.objects.get()
    assert admin.post(page("delete", key), {"post": "yes"}).status_code == 403
    assert admin.post(f"{EVENTS}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    for path, row in ((LIST, key.pk), (EVENTS, event.pk)):
        admin.post(path, {"action": "delete_selected", "_selected_action": [row], "post": "yes"})
    assert ApiKey.objects.count() == KeyEvent.objects.count() == 1


@pytest.mark.once
def test_events_are_to_be_read(admin: Client) -> None:
    issue()
    event = KeyEvent.objects.get()
    assert "issued" in text_of(admin.get(f"{EVENTS}{event.pk}/change/")).lower()
    assert admin.post(f"{EVENTS}{event.pk}/change/", {"actor": "nobody"}).status_code == 403
    assert admin.get(f"{EVENTS}add/").status_code == 403
    assert KeyEvent.objects.get().actor == "tests"


@pytest.mark.once
def test_who_may_only_look_is_offered_and_allowed_nothing_else(clerk: Client) -> None:
    key = issue()
    assert "bob" in text_of(clerk.get(LIST))
    shown = text_of(clerk.get(page("change", key)))
    assert page("revoke", key) not in shown
    assert add(clerk).status_code == 403
    for action in ("rotate", "revoke"):
        assert clerk.get(page(action, key)).status_code == 403
        assert clerk.post(page(action, key), {"grace": "24"}).status_code == 403
    assert KeyEvent.objects.count() == 1


@pytest.mark.once
@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_strangers_are_sent_to_the_login(action: str) -> None:
    answer = Client(SERVER_NAME="localhost").post(page(action, issue()))
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]


@pytest.mark.once
@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_a_key_that_is_not_there_is_not_found(admin: Client, action: str) -> None:
    assert admin.post(f"{LIST}999999/{action}/").status_code == 404


@pytest.mark.once
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"reader", "writer", "old", "new", "gone", "past"}),
        ("?state=active", {"reader", "writer", "new"}),
        ("?state=rotating", {"old"}),
        ("?state=revoked", {"gone"}),
        ("?state=expired", {"past"}),
        ("?state=nonsense", {"reader", "writer", "old", "new", "gone", "past"}),
        ("?scope=write", {"writer"}),
        ("?environment=test", {"reader"}),
        ("?q=writ", {"writer"}),
    ],
)
def test_the_list_is_narrowed(admin: Client, query: str, names: set[str]) -> None:
    issue(name="reader")
    issue(name="writer", scopes=["read", "write"])
    new = key_rotate(key=issue(name="old"), actor="tests").key
    key_revoke(key=issue(name="gone"), actor="tests")
    past = issue(name="past")
    ApiKey.objects.filter(pk=new.pk).update(name="new")
    ApiKey.objects.filter(pk=past.pk).update(expires_at=timezone.now())
    ApiKey.objects.filter(name="reader").update(environment="test")
    shown = text_of(admin.get(LIST + query))
    assert set(re.findall(r"field-name.*?<a [^>]*>([^<]+)<", shown)) == names


def test_a_key_is_found_by_its_id(admin: Client) -> None:
    key = issue(name="Rene\u0301e")
    issue(name="other")
    # By its name too, in whichever letters that is typed.
    for typed in (key.public_id, "Rene\u0301e", "Ren\u00e9e"):
        assert "1 API key" in text_of(admin.get(LIST, {"q": typed}))


def count_queries(client: Client, path: str) -> int:
    # What Django remembers from one page to the next is asked for before counting.
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


@pytest.mark.parametrize("path", [LIST, EVENTS])
def test_a_longer_list_takes_no_more_queries(admin: Client, path: str) -> None:
    key_rotate(key=issue(), actor="tests")
    short = count_queries(admin, path)
    for _ in range(5):
        key_rotate(key=issue(), actor="tests")
    assert count_queries(admin, path) == short <= 8


@pytest.mark.once
def test_a_keys_page_takes_no_more_queries_with_more_events(admin: Client) -> None:
    key = issue()
    short = count_queries(admin, page("change", key))
    KeyEvent.objects.bulk_create(KeyEvent(key=key, kind=Kind.CHANGED, actor="tests") for _ in range(10))
    assert count_queries(admin, page("change", key)) == short <= 10
