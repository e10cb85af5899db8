"""Imports in the admin: files in, what became of them, their undo, and files out."""

from collections.abc import AsyncGenerator
from html import unescape
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from tests.triples.store.graphs import counted, fact, store, stored_rows
from triples.import_runs import ImportRun, ImportStatus
from triples.services.imports import START_PATIENCE, import_begin, import_undo_now

pytestmark = pytest.mark.both

IMPORTS = "/admin/triples/importrun/"
FILE = b"von,art,nach\na,p,b\nbad\nc,p,d\n"
ASKED = {"on_duplicate": "keep", "columns": "subject=von,predicate=art,object=nach"}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been started."""
    commands: list[list[str]] = []

    def start(arguments: list[str], _variables: Any = None, **_: Any) -> None:
        commands.append(arguments)

    monkeypatch.setattr("triples.files.uploads.start_detached", start)
    monkeypatch.setattr("triples.services.imports.start_detached", start)
    return commands


def uploaded(client: Client, content: bytes = FILE, name: str = "people.csv", **asked: Any) -> Any:
    return client.post(f"{IMPORTS}import/", {"file": SimpleUploadedFile(name, content), **ASKED, **asked})


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("one", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_a_file_is_imported_shown_and_taken_back(admin: Client, started: list[list[str]]) -> None:
    assert "Nothing has been imported yet." in admin.get(IMPORTS).content.decode()
    answer = uploaded(admin)
    run = ImportRun.objects.get()
    page_url = answer["Location"]
    assert page_url == f"{IMPORTS}{run.pk}/change/"
    assert 'data-live="on"' in admin.get(page_url).content.decode()
    call_command(*started.pop())
    run.refresh_from_db()
    assert (run.status, run.inserted, run.refused, run.format) == (ImportStatus.FINISHED, 2, 1, "csv")
    page = unescape(admin.get(page_url).content.decode())
    assert "people.csv:3: has 1 column, the header 3" in page
    assert 'data-live="off"' in page
    assert "brought 2 facts" in admin.get(f"{IMPORTS}{run.pk}/undo/").content.decode()
    store(fact("other"))
    assert admin.post(f"{IMPORTS}{run.pk}/undo/")["Location"] == page_url
    assert started == [["imports", "undo", str(run.pk), "--yes"]]
    import_undo_now(run_id=run.pk, report=lambda _: None)
    assert {key[0] for key in stored_rows()} == {"other"}
    assert "Undo this import" not in admin.get(page_url).content.decode()
    assert f"import {run.pk}" in admin.get(IMPORTS).content.decode()


@pytest.mark.once
def test_a_format_is_seen_from_the_content_and_one_that_is_not_is_told(admin: Client, started: list[list[str]]) -> None:
    uploaded(admin, b"@prefix ex: <http://e.org/> .\nex:a ex:p ex:b .\n", "facts", columns="")
    uploaded(admin, b"\x00\x01", "facts", columns="")
    for command in started:
        call_command(*command)
    told = list(ImportRun.objects.order_by("id").values_list("status", "format", "inserted"))
    assert told == [("finished", "turtle", 1), ("broken", "", 0)]
    assert "give `format`" in ImportRun.objects.get(status="broken").error


@pytest.mark.once
@pytest.mark.parametrize(
    ("asked", "told"),
    [({"columns": "nonsense"}, "must be such as subject=source"), ({"scale_weights": "1:1"}, "two different numbers")],
)
def test_faults_are_told_at_their_fields(admin: Client, asked: dict[str, Any], told: str) -> None:
    assert told in unescape(uploaded(admin, **asked).content.decode())
    assert not ImportRun.objects.exists()
    assert "This field is required." in admin.post(f"{IMPORTS}import/", ASKED).content.decode()


@pytest.mark.once
def test_permissions_are_those_of_facts(database: None, started: list[list[str]]) -> None:
    looker = staff("view_triple")
    assert "Import a file" not in looker.get(IMPORTS).content.decode()
    assert uploaded(looker).status_code == 403
    run = import_begin(source="x", format_name="tsv", requested_by="y", options={})
    assert looker.post(f"{IMPORTS}{run.pk}/undo/").status_code == 403
    assert looker.get(f"{IMPORTS}export/").status_code == 200
    assert looker.get(f"{IMPORTS}export/?format=tsv&compress=none&inferred=with").status_code == 403
    assert started == []
    User.objects.all().delete()
    nobody = staff("view_rule")
    assert nobody.get(IMPORTS).status_code == nobody.get(f"{IMPORTS}export/").status_code == 403


@pytest.mark.once
def test_what_is_chosen_is_what_the_command_gets(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[list[str]] = []

    async def exported(arguments: list[str]) -> AsyncGenerator[bytes]:
        found.append(arguments)
        yield b""

    monkeypatch.setattr("triples.admin.downloads.exported", exported)
    # As long as no new term may be: it may be there all the same.
    long = "x" * 501
    query = f"format=csv&compress=gzip&subject=+a&predicate=&object={long}&min_weight=0.5&inferred=only"
    answer = admin.get(f"{IMPORTS}export/?{query}")
    assert answer["Content-Disposition"] == 'attachment; filename="facts.csv.gz"'
    arguments = ["export_triples", "-", "--format=csv", "--compress=gzip"]
    assert found == [[*arguments, "--subject=a", f"--object={long}", "--min-weight=0.5", "--inferred=only"]]
    assert "Select a valid choice" in admin.get(f"{IMPORTS}export/?format=docx").content.decode()


@pytest.mark.once
def test_the_upload_is_gone_after_its_import(admin: Client, started: list[list[str]]) -> None:
    from pathlib import Path

    uploaded(admin)
    file = Path(orjson.loads(started[0][-1])["file"])
    assert file.read_bytes() == FILE
    call_command(*started[0])
    assert not file.exists()
    assert counted() == (2, 2)


@pytest.mark.once
@pytest.mark.parametrize(
    "asked",
    [
        {"columns": f"subject={'a' * 3_000},predicate=b,object=c"},
        {"columns": "subject=a\x01,predicate=b,object=c"},
        {"ignore": "a" * 3_000},
        {"ignore": "a\x1bb"},
        {"scale_weights": "0:" + "1" * 3_000},
    ],
)
def test_what_the_api_would_refuse_is_a_fault_of_the_form(
    admin: Client, started: list[list[str]], asked: dict[str, Any]
) -> None:
    page = uploaded(admin, **asked)
    assert page.status_code == 200
    assert "errorlist" in page.content.decode()
    assert (started, ImportRun.objects.count()) == ([], 0)


def test_an_import_whose_process_is_gone_is_seen_as_broken(admin: Client, capsys: pytest.CaptureFixture[str]) -> None:
    run = import_begin(source="people.tsv", format_name="tsv", requested_by="tests", options={})
    old = timezone.now() - 2 * START_PATIENCE
    for url in (IMPORTS, f"{IMPORTS}{run.pk}/change/"):
        ImportRun.objects.update(status="running", touched_at=old)
        page = admin.get(url).content.decode()
        assert ("run-broken" in page, "run-running" in page) == (True, False)
    for action in (["list"], ["show", str(run.pk)]):
        ImportRun.objects.update(status="running", touched_at=old)
        call_command("imports", *action)
        assert "broken" in capsys.readouterr().out
