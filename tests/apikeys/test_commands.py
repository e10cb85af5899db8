"""`manage.py apikey` and `manage.py bootstrap`, as an operator types them."""

import io
import json
import os
import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from apikeys.keys import digest_of, parse_key
from apikeys.models import ApiKey, KeyEvent, State
from apikeys.services import key_issue
from tests.conftest import ChangeSettings, FreshDatabase
from tests.support.environment import service_variables
from tests.support.pages import TEXTS
from tests.support.service import manage

pytestmark = pytest.mark.usefixtures("database")


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def issue(name: str = "bob") -> ApiKey:
    return key_issue(name=name, scopes=["read"], actor="tests").key


def as_json(*arguments: str) -> Any:
    return json.loads(run("apikey", *arguments, "--json"))


def test_a_key_is_made_and_shown_once() -> None:
    shown = run("apikey", "create", "nightly import", "--scopes", "write, read", "--expires", "30d", "--rate", "5")
    token = re.search(r"skg_\w+", shown)
    assert token is not None
    key = ApiKey.objects.get()
    assert parse_key(token[0].encode()).public_id == key.public_id
    assert (key.name, key.scopes, key.rate) == ("nightly import", "read write", "5/m")
    assert key.expires_at is not None
    assert (key.expires_at - timezone.now()).days == 29
    assert KeyEvent.objects.get().actor.startswith("command line (")
    assert token[0] not in run("apikey", "list")


def test_a_user_without_a_name_is_named_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", fail)
    run("apikey", "create", "bob")
    assert KeyEvent.objects.get().actor == f"command line ({os.getuid()})"


def test_json_has_the_fields_of_the_api() -> None:
    issued = as_json("create", "bob", "--scopes", "read", "--networks", "10.0.0.0/8")
    assert parse_key(issued["key"].encode()).public_id == issued["id"]
    assert issued["allowed_networks"] == ["10.0.0.0/8"]
    rotated = as_json("rotate", "bob", "--grace", "2h")
    assert rotated["rotated_from"] == issued["id"]
    assert as_json("revoke", issued["id"], "--yes")["state"] == "revoked"
    assert [key["id"] for key in as_json("list")] == [rotated["id"], issued["id"]]
    assert [key["id"] for key in as_json("list", "--state", "revoked")] == [issued["id"]]
    assert "key" not in as_json("list")[0]


def test_the_list_is_a_table() -> None:
    assert run("apikey", "list").split() == ["id", "name", "state", "scopes", "rate", "last", "used", "expires"]
    key = issue()
    last_line = run("apikey", "list").splitlines()[-1]
    assert last_line.split() == [key.public_id, "bob", "active", "read", "-", "never", "never"]


def test_rotating_says_how_long_the_old_key_works() -> None:
    key = issue()
    shown = run("apikey", "rotate", key.public_id, "--grace", "1h")
    key.refresh_from_db()
    assert f"The old key {key.public_id} works until {key.expires_at:%Y-%m-%d %H:%M:%S} UTC." in shown
    assert key.state is State.ROTATING


@pytest.mark.parametrize("asked", ["Rene\u0301e", " Ren\u00e9e"])
def test_names_are_looked_up_as_they_are_kept(asked: str) -> None:
    issued = as_json("create", "Rene\u0301e ")
    assert issued["name"] == "Ren\u00e9e"
    assert as_json("revoke", asked, "--yes")["id"] == issued["id"]


def test_a_name_that_two_working_keys_have_is_no_answer() -> None:
    first, second = issue(), issue()
    with pytest.raises(CommandError, match="2 working keys are named bob") as raised:
        run("apikey", "revoke", "bob", "--yes")
    assert first.public_id in str(raised.value)
    run("apikey", "revoke", first.public_id, "--yes")
    run("apikey", "revoke", "bob", "--yes")
    second.refresh_from_db()
    assert second.state is State.REVOKED


def test_the_lines_of_the_readme_work_one_after_the_other() -> None:
    block = re.search(r"```sh\n(.*?)```", TEXTS["apikeys/README.md"], re.DOTALL)
    assert block is not None
    lines = [shlex.split(line)[2:] for line in block[1].splitlines()]
    assert [line[1] for line in lines] == ["create", "create", "list", "rotate", "revoke"]
    for line in lines:
        run(*line)
    states = [(key.name, key.state) for key in ApiKey.objects.order_by("id")]
    assert states == [
        ("nightly import", State.ROTATING),
        ("a trial", State.REVOKED),
        ("nightly import", State.ACTIVE),
    ]
    shown = run("apikey", "revoke", "nightly import", "--yes")
    assert f"still working: {ApiKey.objects.order_by('id')[0].public_id}." in shown


def test_a_name_means_the_newest_of_its_row_of_rotations() -> None:
    first = issue("p\u00e8re")
    second = as_json("rotate", "p\u00e8re")["id"]
    third = as_json("rotate", "pe\u0300re ")["id"]
    assert as_json("revoke", "p\u00e8re", "--yes")["id"] == third
    told = as_json("revoke", first.public_id, "--yes", "--lineage")
    assert (told["also_revoked"], told["still_working"]) == ([second], [])


def test_revoking_a_row_asks_and_tells_for_all_of_it(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    key = issue()
    new = as_json("rotate", "bob")["id"]
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    shown = run("apikey", "revoke", key.public_id, "--lineage")
    assert "every other key of its row of rotations for good?" in capsys.readouterr().out
    assert shown == f"bob ({key.public_id}) is revoked.\nOf the same row of rotations, revoked too: {new}.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", " "], "name must not be empty"),
        (["create", "x", "--scopes", "read,fly"], "There is no scope fly"),
        (["create", "x", "--rate", "fast"], "The rate must be"),
        (["create", "x", "--networks", "here"], "does not appear to be"),
        (["create", "x", "--expires", "soon"], "no length of time"),
        (["create"], "required"),
        (["rotate", "nobody"], "No key has the id nobody"),
        (["rotate", "bob", "--grace", "91d"], "The grace period must be"),
        (["revoke", "nobody", "--yes"], "No key has the id nobody"),
        (["list", "--state", "lost"], "invalid choice"),
        ([], "required"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(arguments: list[str], message: str) -> None:
    issue()
    with pytest.raises(CommandError, match=message):
        run("apikey", *arguments)
    assert ApiKey.objects.count() == 1


def test_a_rotated_key_is_not_rotated_again() -> None:
    key = issue()
    run("apikey", "rotate", key.public_id)
    with pytest.raises(CommandError, match="has been rotated already"):
        run("apikey", "rotate", key.public_id)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["y\n", " Yes\n"])
def test_revoking_asks_first(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    key = issue()
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert run("apikey", "revoke", key.public_id) == f"bob ({key.public_id}) is revoked.\n"
    key.refresh_from_db()
    assert key.state is State.REVOKED


@pytest.mark.parametrize("answer", ["\n", "n\n", "x\n"])
def test_without_a_yes_nothing_is_revoked(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    key = issue()
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    with pytest.raises(CommandError, match="Nothing was revoked"):
        run("apikey", "revoke", key.public_id)
    key.refresh_from_db()
    assert key.state is State.ACTIVE


def test_where_nobody_can_be_asked_revoking_needs_to_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    key = issue()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(CommandError, match="--yes"):
        run("apikey", "revoke", key.public_id)
    key.refresh_from_db()
    assert key.state is State.ACTIVE


@pytest.mark.process
def test_the_command_line_has_exit_codes_and_writes_nothing_but_json(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    variables = service_variables(tmp_path, **fresh_database(tmp_path))
    made = manage("apikey", "create", "bob", "--json", variables=variables)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["name"] == "bob"
    failed = manage("apikey", "rotate", "nobody", variables=variables)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == "CommandError: No key has the id nobody, and no working key has this name.\n"
    assert manage("apikey", "fly", variables=variables).returncode == 2


@pytest.mark.process
def test_without_tables_a_sentence_says_what_to_do(tmp_path: Path) -> None:
    failed = manage("apikey", "list", variables=service_variables(tmp_path))
    assert failed.returncode == 1
    assert failed.stderr.startswith("CommandError: The database did not do it: no such table")
    assert "Traceback" not in failed.stderr


@pytest.fixture
def first_start() -> str:
    return run("bootstrap")


def test_the_first_start_makes_a_user_and_a_key(first_start: str) -> None:
    user = User.objects.get()
    username, password = re.findall(r"^    (\S+)$", first_start, re.MULTILINE)[:2]
    assert user.username == username
    assert user.is_superuser
    assert user.check_password(password)
    key = ApiKey.objects.get()
    assert (key.scopes, key.rate) == ("read write recurse admin", "0")
    assert "without a rate limit" in first_start
    assert first_start.count("shown this once") == 1


async def test_the_curl_line_works_when_pasted(anonymous: httpx.AsyncClient, in_thread_output: str) -> None:
    line = next(line.strip() for line in in_thread_output.splitlines() if "curl" in line)
    match = re.fullmatch(r'curl -H "Authorization: (Bearer \S+)" http://127\.0\.0\.1:7777(/stats)', line)
    assert match is not None
    assert (await anonymous.get(match[2], headers={"Authorization": match[1]})).status_code == 200


@pytest.fixture
def in_thread_output(database: None) -> str:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run, "bootstrap").result()


ANOTHER = 'another: .venv/bin/python manage.py apikey create "my key"'


def test_later_starts_make_nothing_and_say_where_everything_is(first_start: str) -> None:
    issue("another")
    key = ApiKey.objects.get(name="first key")
    shown = run("bootstrap").splitlines()
    assert shown == [
        "Service        http://127.0.0.1:7777",
        "Documentation  http://127.0.0.1:7777/docs",
        "Admin          http://127.0.0.1:7777/admin/",
        f"API key        first key, skg_prod_{key.public_id}…; {ANOTHER}",
    ]
    assert all(line in first_start for line in shown[:3])
    assert (User.objects.count(), ApiKey.objects.count()) == (1, 2)


def test_a_start_without_documentation_or_a_key_that_works_says_so(
    first_start: str, change_settings: ChangeSettings
) -> None:
    change_settings(enable_docs=False, port=8888)
    run("apikey", "revoke", "first key", "--yes")
    shown = run("bootstrap")
    assert "Documentation" not in shown
    assert "http://127.0.0.1:8888/admin/" in shown
    assert "none works; another: " in shown


def test_the_configured_key_is_a_first_key(change_settings: ChangeSettings) -> None:
    change_settings(api_key_hash=f"sha256:{digest_of(b'k1').hex()}")
    shown = run("bootstrap")
    assert "admin user" in shown
    assert "curl" not in shown
    assert "that of SKG_API_KEY_HASH" in shown
    assert ApiKey.objects.get().name == "SKG_API_KEY_HASH"


def test_only_what_is_missing_is_made() -> None:
    User.objects.create_superuser("ann", password="a long enough password")
    shown = run("bootstrap")
    assert "curl" in shown
    assert "First admin user" not in shown
    assert User.objects.count() == 1


def test_two_first_starts_at_once_make_one_of_each(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    variables = service_variables(tmp_path, **fresh_database(tmp_path))
    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(lambda _: manage("bootstrap", variables=variables), range(2)))
    assert sorted("curl" in result.stdout for result in results) == [False, True], results
    assert len(json.loads(manage("apikey", "list", "--json", variables=variables).stdout)) == 1
