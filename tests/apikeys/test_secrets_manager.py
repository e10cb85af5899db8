"""`apikey rotate --secrets-manager`, against a server that speaks AWS's protocol."""

import io
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from apikeys import rotations, services
from apikeys.keys import digest_of
from apikeys.models import ApiKey, State
from apikeys.services import key_issue
from tests.conftest import FreshDatabase
from tests.support.aws import aws_server, aws_variables
from tests.support.environment import service_variables
from tests.support.service import free_port, manage

pytestmark = [pytest.mark.usefixtures("database"), pytest.mark.process]

KEY_SHAPE = re.compile(r"skg_[a-z0-9]+_[0-9A-Za-z]{40}")


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    with aws_server() as url:
        yield url


@pytest.fixture
def secrets(aws_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of Secrets Manager; what it holds is removed afterwards."""
    for name, value in aws_variables(aws_url).items():
        monkeypatch.setenv(name, value)
    client = boto3.client("secretsmanager")
    yield client
    client.close()
    httpx.post(f"{aws_url}/moto-api/reset").raise_for_status()


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command("apikey", *arguments, stdout=output)
    return output.getvalue()


def issue(name: str = "bob") -> ApiKey:
    return key_issue(name=name, scopes=["read"], actor="tests").key


def stages(client: Any, secret: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = client.describe_secret(SecretId=secret)["VersionIdsToStages"]
    return found


def current(client: Any, secret: str) -> str:
    text: str = client.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")["SecretString"]
    return text


def test_the_new_key_becomes_the_secret_s_current_version_and_is_not_shown(secrets: Any) -> None:
    secrets.create_secret(Name="skg/bob", SecretString="the old key")
    key = issue()
    shown = run("rotate", "bob", "--grace", "2h", "--secrets-manager", "skg/bob")
    new = ApiKey.objects.get(rotated_from=key)
    assert digest_of(current(secrets, "skg/bob").encode()) == bytes(new.digest)
    assert secrets.get_secret_value(SecretId="skg/bob", VersionStage="AWSPREVIOUS")["SecretString"] == "the old key"
    assert "AWSPENDING" not in str(stages(secrets, "skg/bob"))
    assert KEY_SHAPE.search(shown) is None
    [version] = [version for version, labels in stages(secrets, "skg/bob").items() if "AWSCURRENT" in labels]
    assert f"bob ({new.public_id}), may read, is in the secret skg/bob as version {version}.\n" in shown
    assert f"The old key {key.public_id} works until " in shown
    key.refresh_from_db()
    assert key.state is State.ROTATING


def test_json_names_the_version_instead_of_the_key(secrets: Any) -> None:
    secrets.create_secret(Name="bob")
    key = issue()
    content = json.loads(run("rotate", "bob", "--secrets-manager", "bob", "--json"))
    assert "key" not in content
    assert content["secret"] == {"name": "bob", "version_id": next(iter(stages(secrets, "bob")))}
    assert [old["id"] for old in content["replaced"]] == [content["rotated_from"]] == [key.public_id]


def assert_nothing_has_changed(key: ApiKey) -> None:
    key.refresh_from_db()
    assert (key.state, key.expires_at, ApiKey.objects.count()) == (State.ACTIVE, None, 1)


def test_without_the_secret_no_key_is_changed(secrets: Any) -> None:
    key = issue()
    with pytest.raises(CommandError, match=r"The secret bob could not be changed: .+ No key was changed\."):
        run("rotate", "bob", "--secrets-manager", "bob")
    assert_nothing_has_changed(key)


def test_without_an_answer_no_key_is_changed(secrets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    key = issue()
    with pytest.raises(CommandError, match="No key was changed"):
        run("rotate", "bob", "--secrets-manager", "bob", "--emergency", "--yes")
    assert_nothing_has_changed(key)


def test_without_a_region_it_is_said(secrets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    key = issue()
    with pytest.raises(CommandError, match="AWS Secrets Manager could not be used: You must specify a region"):
        run("rotate", "bob", "--secrets-manager", "bob")
    assert_nothing_has_changed(key)


def test_without_boto3_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    key = issue()
    with pytest.raises(CommandError, match=r"needs the package boto3: pip install boto3\."):
        run("rotate", "bob", "--secrets-manager", "bob")
    assert_nothing_has_changed(key)


@pytest.mark.parametrize("is_lost", [False, True])
def test_when_the_key_cannot_be_stored_the_secret_stays_as_it_was(
    secrets: Any, monkeypatch: pytest.MonkeyPatch, is_lost: bool
) -> None:
    secrets.create_secret(Name="bob", SecretString="the old key")

    def fail(**_: Any) -> None:
        if is_lost:
            secrets.delete_secret(SecretId="bob", ForceDeleteWithoutRecovery=True)
        raise OperationalError("disk I/O error")

    key = issue()
    monkeypatch.setattr(rotations, "key_rotate", fail)
    with pytest.raises(CommandError, match="The database did not do it: disk I/O error"):
        run("rotate", "bob", "--secrets-manager", "bob")
    assert_nothing_has_changed(key)
    if not is_lost:
        assert current(secrets, "bob") == "the old key"
        assert "AWSPENDING" not in str(stages(secrets, "bob"))


def test_a_key_that_works_and_is_not_current_is_said_with_what_finishes_it(
    secrets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.create_secret(Name="bob", SecretString="the old key")
    rotate = services.key_rotate
    made: list[str] = []

    def rotate_and_lose_the_secret(**options: Any) -> Any:
        issued = rotate(**options)
        made.extend(stages(secrets, "bob"))
        secrets.delete_secret(SecretId="bob", ForceDeleteWithoutRecovery=True)
        return issued

    issue()
    monkeypatch.setattr(rotations, "key_rotate", rotate_and_lose_the_secret)
    with pytest.raises(CommandError) as raised:
        run("rotate", "bob", "--secrets-manager", "bob")
    new = ApiKey.objects.get(rotated_from__isnull=False)
    sentence = str(raised.value)
    assert f"The new key {new.public_id} works, but its version of the secret bob is still AWSPENDING" in sentence
    version = re.search(r"--move-to-version-id (\S+)", sentence)
    assert version is not None
    assert version[1] in made


def test_in_an_emergency_each_key_has_a_secret_of_its_own(secrets: Any) -> None:
    for name in ("skg/alice", "skg/bob"):
        secrets.create_secret(Name=name)
    alice, bob, carol = issue("alice"), issue("bob"), issue("carol")
    output = io.StringIO()
    with pytest.raises(CommandError, match=r"The secret skg/carol could not be changed"):
        call_command(
            "apikey", "rotate", "--emergency", "--all", "--yes", "--secrets-manager", "skg/{name}", "--json",
            stdout=output,
        )  # fmt: skip
    contents = json.loads(output.getvalue())
    assert [content["secret"]["name"] for content in contents] == ["skg/alice", "skg/bob"]
    for content, old in zip(contents, (alice, bob), strict=True):
        old.refresh_from_db()
        assert old.state is State.REVOKED
        new = ApiKey.objects.get(public_id=content["id"])
        assert digest_of(current(secrets, content["secret"]["name"]).encode()) == bytes(new.digest)
    carol.refresh_from_db()
    assert carol.state is State.ACTIVE


def test_the_key_is_in_no_log_however_much_is_logged(
    secrets: Any, aws_url: str, fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    secrets.create_secret(Name="bob", SecretString="the old key")
    variables = service_variables(tmp_path, log_level="DEBUG", **fresh_database(tmp_path)) | {
        name: value for name, value in os.environ.items() if name.startswith("AWS_")
    }
    made = manage("apikey", "create", "bob", variables=variables)
    assert made.returncode == 0, made.stderr
    rotated = manage("apikey", "rotate", "bob", "--secrets-manager", "bob", variables=variables)
    assert rotated.returncode == 0, rotated.stderr
    assert '"key_rotated"' in rotated.stderr
    assert current(secrets, "bob").startswith("skg_")
    assert KEY_SHAPE.search(rotated.stdout + rotated.stderr) is None
