"""`migrate_from_flask --to`: a real service, and a server that answers what services answer on bad days."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.conftest import StartService
from tests.support.environment import process_environment
from tests.support.processes import PythonProcess
from tests.support.scripted_server import ScriptedServer, serving
from tests.support.service import KEY, Service, free_port, manage
from tests.triples.commands.runs import counts
from tests.triples.exchange.from_flask.old import add, files, migrated

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", KEY)


def total(service: Service) -> int:
    with service.client() as client:
        count: int = client.get("/stats").raise_for_status().json()["total_triples"]
    return count


def facts(number: int) -> Iterator[tuple[Any, ...]]:
    for i in range(number):
        yield (f"more{i}", "p", f"o{i % 7}", 0.5, '{"n": 1}' if i % 2 else "{}")


def test_another_service_gets_everything_and_refuses_what_it_does_not_take(
    old: Path, service: StartService, capsys: pytest.CaptureFixture[str]
) -> None:
    add(old, *facts(20), ("bad", "p", "o", 2.0, "{}"), ("a.b", "p", "o", 1.0, "{}"))
    before = files(old.parent)
    one = service(term_pattern="guide")
    run = migrated(old, "--to", one.url, "--batch-size", "7")
    assert (run.error, run.counts) == (None, counts(32, 30, refused=2))
    shown = capsys.readouterr().err
    assert "row:31: weight must be from 0 to 1, not 2.0" in shown
    assert "row:32: subject: " in shown
    assert files(old.parent) == before
    assert migrated(old, "--to", one.url).counts == counts(32, 0, duplicates=30, refused=2)
    with one.client() as client:
        [found] = client.post(
            "/query", json={"pattern": ["more1", "p", None], "include_metadata": True}
        ).json()["results"]  # fmt: skip
    assert (found["object"], found["weight"], found["metadata"]) == ("o1", 0.5, {"n": 1})


def test_it_keeps_within_the_limit_and_is_never_refused(old: Path, service: StartService) -> None:
    add(old, *facts(30))
    one = service(rate_limit="10/s")
    assert migrated(old, "--to", one.url, "--batch-size", "2").counts == counts(40, 40)
    assert [line for line in one.log_lines if line.get("status") == 429] == []


def test_after_a_kill_it_goes_on_and_nothing_is_there_twice(old: Path, service: StartService, tmp_path: Path) -> None:
    add(old, *facts(500))
    one = service()
    variables = one.variables | {"SKG_DB_PATH": str(tmp_path / "client" / "skg.db"), "API_KEY": KEY}
    command = ["manage.py", "migrate_from_flask", str(old), "--to", one.url, "--batch-size", "1"]
    notes = tmp_path / "client" / "skg.state" / "migrations"
    with PythonProcess(command, env=process_environment(variables), stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not any(notes.glob("*.json")):
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
    continued = manage(*command[1:-1], "100", "--json", variables=variables)
    summary = orjson.loads(continued.stdout)
    assert summary["earlier_runs"]["read"] > 0
    assert summary["read"] == summary["inserted"] + summary["duplicates"] == 510
    assert total(one) == 510


def test_a_service_that_is_restarted_meanwhile_loses_nothing(old: Path, service: StartService) -> None:
    add(old, *facts(300))
    one = service()

    def restart() -> None:
        one.stop()
        one.start()

    restarted = threading.Thread(target=restart)
    restarted.start()
    run = migrated(old, "--to", one.url, "--batch-size", "1")
    restarted.join()
    assert run.error is None
    assert run.summary["inserted"] + run.summary["duplicates"] == total(one) == 310


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with serving() as server:
        yield server


def test_what_comes_too_early_is_sent_again_when_the_service_says(old: Path, scripted: ScriptedServer) -> None:
    scripted.answers = [
        (429, {"Retry-After": "0"}, b""),
        (429, {"Retry-After": "1"}, b"{}"),
        (503, {"Retry-After": "Mon, 15 Jan 2024 10:30:00 GMT"}, b"busy"),
        (202, {"RateLimit": '"default";r=0;t=1', "RateLimit-Policy": '"default";q=100;w=1'}, None),
    ]
    began = time.monotonic()
    assert migrated(old, "--to", scripted.url, "--batch-size", "5").counts == counts(10, 10)
    assert time.monotonic() - began >= 1
    sent = [[triple["subject"] for triple in body["triples"]] for _, body in scripted.requests]
    assert sent == [["s0", "s1", "s2", "s3", "s4"]] * 4 + [["s5", "s6", "s7", "s8", "s9"]]


def test_a_service_that_is_down_is_waited_for_and_then_not(old: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    run = migrated(old, "--to", url, "--patience", "1s")
    assert run.error is not None
    assert str(run.error).startswith(f"{url} cannot be reached: ")
    assert str(run.error).endswith("The same command line goes on from here.")


@pytest.mark.parametrize(
    ("status", "content", "message"),
    [
        (401, b'{"detail": "The key is not valid."}', "answers 401: The key is not valid."),
        (422, b'{"detail": "At most 10."}', "answers 422: At most 10. It may take smaller batches only: --batch-size."),
        (404, b"<html>", "answers 404."),
        (301, b"", "answers 301."),
        (202, b"{}", "does not answer as this service does."),
        (202, b"OK", "does not answer as this service does."),
    ],
)
def test_an_answer_that_will_not_change_ends_it(
    old: Path, scripted: ScriptedServer, status: int, content: bytes, message: str
) -> None:
    scripted.answers = [(status, {}, content)]
    run = migrated(old, "--to", scripted.url)
    assert f"{scripted.url} {message}" in str(run.error)
    assert len(scripted.requests) == 1


@pytest.fixture
def half_done(old: Path, scripted: ScriptedServer) -> ScriptedServer:
    """A service to which a migration brought five facts of ten."""
    scripted.answers = [(202, {}, None), (401, {}, b"")]
    assert migrated(old, "--to", scripted.url, "--batch-size", "5").counts == counts(5, 5)
    scripted.requests.clear()
    return scripted


def test_a_service_that_has_the_last_fact_gets_the_rest(old: Path, half_done: ScriptedServer) -> None:
    half_done.answers = [(200, {}, None)]
    assert migrated(old, "--to", half_done.url).counts == counts(10, 10)
    (query, asked), (_, sent) = half_done.requests
    assert (query, asked["pattern"]) == ("/query", ["s4", "p", "o"])
    assert [triple["subject"] for triple in sent["triples"]] == ["s5", "s6", "s7", "s8", "s9"]


def test_a_last_fact_that_begins_with_a_question_mark_is_asked_for_as_a_constant(
    old: Path, scripted: ScriptedServer
) -> None:
    add(old, ("?why", "p", "o", 1.0, "{}"), ("later", "p", "o", 1.0, "{}"))
    scripted.answers = [(202, {}, None), (401, {}, b""), (200, {}, None)]
    migrated(old, "--to", scripted.url, "--batch-size", "11")
    migrated(old, "--to", scripted.url)
    _, _, (query, asked), (_, sent) = scripted.requests
    assert (query, asked["pattern"]) == ("/query", [{"term": "?why"}, "p", "o"])
    assert [triple["subject"] for triple in sent["triples"]] == ["later"]


@pytest.mark.parametrize("answer", [(403, {}, b""), (200, {}, b'{"results": []}'), (200, {}, b"OK")])
def test_a_service_that_does_not_say_so_gets_everything(
    old: Path, half_done: ScriptedServer, answer: tuple[int, dict[str, str], bytes]
) -> None:
    half_done.answers = [answer]
    migrated(old, "--to", half_done.url)
    assert len(half_done.requests[1][1]["triples"]) == 10


def test_it_does_not_begin_anew_because_the_service_is_down(old: Path) -> None:
    with serving() as server:
        server.answers = [(202, {}, None), (401, {}, b"")]
        migrated(old, "--to", server.url, "--batch-size", "5")
    run = migrated(old, "--to", server.url)
    assert "cannot be reached" in str(run.error)


def test_a_dry_run_sends_nothing(old: Path, scripted: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert migrated(old, "--to", scripted.url, "--dry-run").counts == counts(10, 10)
    assert scripted.requests == []
    assert "is not asked what it has already" in capsys.readouterr().err


def test_a_certificate_that_nobody_trusts_ends_it(old: Path, https_url: str) -> None:
    assert "has no certificate that can be trusted" in str(migrated(old, "--to", https_url).error)


@pytest.fixture
def https_url() -> Iterator[str]:
    import ssl

    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with ScriptedServer() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.url.replace("http:", "https:")
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_key_comes_from_a_file(old: Path, scripted: ScriptedServer, tmp_path: Path, encoding: str) -> None:
    key = tmp_path / "key"
    key.write_text("skg_from_file\n", encoding=encoding)
    assert migrated(old, "--to", scripted.url, "--key-file", str(key)).error is None


@pytest.mark.parametrize(("content", "code"), [(b"", 2), (b"two\nlines", 2), (None, 1)])
def test_a_file_without_a_key_is_a_sentence(old: Path, tmp_path: Path, content: bytes | None, code: int) -> None:
    key = tmp_path / "key"
    if content is not None:
        key.write_bytes(content)
    run = migrated(old, "--to", "http://127.0.0.1:1", "--key-file", str(key))
    assert run.error is not None
    assert run.error.returncode == code


def test_without_a_key_the_variable_is_named(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("API_KEY")
    assert "The variable API_KEY does not hold a key." in str(migrated(old, "--to", "http://127.0.0.1:1").error)


def test_a_key_in_the_clear_is_said(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    migrated(old, "--to", "http://service.invalid", "--patience", "0s")
    assert "The key travels to http://service.invalid unencrypted" in capsys.readouterr().err
