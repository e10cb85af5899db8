"""Uploads in the admin, larger than any other body of the site."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.conftest import ChangeSettings
from tests.support.asgi import Exchange, http_scope
from tests.support.database import in_orm
from triples.import_runs import ImportRun

PATH = "/admin/triples/importrun/import/"
TOKEN = "t" * 32
CONTENT = b"a\tp\tb\n" * 900_000
BODY = b"\r\n".join(
    [
        b'--x\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n' + TOKEN.encode(),
        b'--x\r\nContent-Disposition: form-data; name="on_duplicate"\r\n\r\nkeep',
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="facts.tsv"\r\n\r\n' + CONTENT,
        b"--x--\r\n",
    ]
)


def session(*permissions: str, staff: bool = True) -> str:
    user = User.objects.create_user("one", is_staff=staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


async def upload(cookie: str, token: str = TOKEN) -> Exchange:
    from skg_site.asgi import application

    cookies = f"{settings.SESSION_COOKIE_NAME}={cookie}; {settings.CSRF_COOKIE_NAME}={token}"
    headers = [
        (b"cookie", cookies.encode()),
        (b"content-type", b"multipart/form-data; boundary=x"),
        (b"content-length", str(len(BODY)).encode()),
    ]
    sent = Exchange(application, http_scope("POST", PATH, headers=headers))
    for start in range(0, len(BODY), 1 << 20):
        sent.arrive(BODY[start : start + (1 << 20)], more=start + (1 << 20) < len(BODY))
    return await sent.finish()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, database: None) -> list[Any]:
    commands: list[Any] = []
    monkeypatch.setattr("triples.files.uploads.start_detached", lambda *command, **_: commands.append(command))
    return commands


async def test_a_large_file_goes_to_the_spool(
    started: list[Any], tmp_path: Path, change_settings: ChangeSettings
) -> None:
    change_settings(state_dir=tmp_path)
    assert len(BODY) > settings.ENV.max_body_bytes
    sent = await upload(in_orm(session, "add_triple"))
    run = in_orm(ImportRun.objects.get)
    assert (sent.status, sent.headers["location"]) == (302, f"/admin/triples/importrun/{run.pk}/change/")
    [file] = (tmp_path / "spool").iterdir()
    assert file.read_bytes() == CONTENT
    assert len(started) == 1


async def test_the_token_of_the_form_is_checked(started: list[Any]) -> None:
    sent = await upload(in_orm(session, "add_triple"), "u" * 32)
    assert (sent.status, started) == (403, [])


async def test_a_file_beyond_the_disk_is_refused(started: list[Any], change_settings: ChangeSettings) -> None:
    change_settings(import_disk=1)
    sent = await upload(in_orm(session, "add_triple"))
    assert (sent.status, sent.headers["content-type"]) == (413, "application/problem+json")
    assert (sent.content["detail"], started) == ("The body is larger than 1,048,576 bytes.", [])


@pytest.mark.parametrize(("permissions", "staff"), [(["view_triple"], True), (["add_triple"], False)])
async def test_only_who_may_import_sends_large_bodies(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, permissions: list[str], staff: bool
) -> None:
    from skg_site.server import uploads

    for cookie in (in_orm(session, *permissions, staff=staff), "unknown", "\N{SNOWMAN}"):
        headers = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
        assert not in_orm(uploads._may_import, http_scope("POST", PATH, headers=headers))
    assert not in_orm(uploads._may_import, http_scope("POST", PATH))
    assert not started
