"""`system_check`: what it says of a service that is well, and of all that can be broken."""

import io
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from skg_site.cli.durations import duration_text
from skg_site.ops.checkup.checks import NAMES
from skg_site.ops.checkup.findings import Limits
from skg_site.ops.checkup.host import check_disk
from tests.conftest import ChangeSettings, StartService
from tests.support.environment import service_variables
from tests.support.service import free_port, manage
from tests.triples.store.graphs import fact, store
from tests.triples.store.inferred.derived import TRANSITIVE, program, run
from tests.triples.store.inferred.hiding import remove
from triples.models import RecursionRun, RunStatus, Term
from triples.store.inferred import dependents

pytestmark = pytest.mark.usefixtures("database")

Found = dict[str, tuple[str, str]]


def checked(*arguments: str) -> tuple[Found, int]:
    """Mark and text by check, and the exit code."""
    output, code = io.StringIO(), 0
    try:
        call_command("system_check", "--json", *arguments, stdout=output)
    except CommandError as error:
        code = error.returncode
    content = json.loads(output.getvalue())
    assert content["ok"] == (code != 1)
    return {check["check"]: (check["mark"], check["text"]) for check in content["checks"]}, code


def one(name: str, *arguments: str) -> tuple[str, str]:
    return checked("--only", name, *arguments)[0][name]


def test_a_service_that_is_well(service: StartService) -> None:
    running = service(metrics_port=free_port())
    result = manage("system_check", "--log", str(running.log_file), variables=running.variables)
    assert result.returncode == 0, result.stdout
    lines = result.stdout.splitlines()
    assert [line.split()[1] for line in lines] == list(NAMES)
    assert lines[0] == f"✓ api           {running.url} is alive and ready."
    assert lines[1] == f"✓ metrics       http://127.0.0.1:{running.variables['SKG_METRICS_PORT']}/metrics can be read."
    assert {line.split()[1]: line[0] for line in lines} | {"disk": "", "secrets": ""} == {
        "api": "✓", "metrics": "✓", "database": "✓", "migrations": "✓", "replicas": "-", "recursion": "-", "clock": "-",
        "disk": "", "certificates": "-", "backup": "!", "log": "✓", "secrets": "",
    }  # fmt: skip
    strict = manage("system_check", "--strict", "--only", "backup", variables=running.variables)
    assert (strict.returncode, strict.stderr) == (2, "CommandError: 1 of 1 worth a look: backup.\n")


@pytest.mark.process
def test_where_everything_is_gone_each_line_says_so_and_none_is_a_trace(tmp_path: Path) -> None:
    variables = service_variables(tmp_path, port=free_port(), database_url="postgresql://x:y@127.0.0.1:1/z")
    result = manage(
        "system_check", "--timeout", "1s", "--log", str(tmp_path / "no.log"), "--certificate", "127.0.0.1:1",
        "--certificate", str(tmp_path / "no.pem"), variables=variables,
    )  # fmt: skip
    assert result.returncode == 1
    assert "Traceback" not in result.stdout + result.stderr
    marks = {line.split()[1]: line[0] for line in result.stdout.splitlines()}
    assert [name for name, sign in marks.items() if sign == "✗"] == [
        "api", "metrics", "database", "migrations", "recursion", "clock", "certificates", "log",
    ]  # fmt: skip
    assert "y@" not in result.stdout


@pytest.mark.process
def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    variables = service_variables(tmp_path, port=free_port())
    result = manage("system_check", "--only", "database", "--only", "migrations", variables=variables)
    assert result.stdout.count(f"There is no file {tmp_path / 'skg.db'}.") == 2
    assert not (tmp_path / "skg.db").exists()


@pytest.mark.process
def test_a_database_that_was_never_migrated(tmp_path: Path) -> None:
    (tmp_path / "skg.db").touch()
    variables = service_variables(tmp_path, port=free_port())
    result = manage("system_check", "--only", "migrations", "--only", "database", variables=variables)
    assert "no such table: triples_term." in result.stdout
    assert "are not applied, the first of them" in result.stdout


@pytest.mark.both
def test_the_write_leaves_nothing() -> None:
    mark, text = one("database")
    assert (mark, text.endswith(" takes writes.")) == ("ok", True)
    assert Term.objects.count() == 0
    assert one("migrations") == ("ok", "All migrations are applied.")


@pytest.mark.both
def test_postgresql_s_clock_is_compared() -> None:
    mark, text = one("clock")
    if connection.vendor == "postgresql":
        assert (mark, "from the clock of PostgreSQL" in text) == ("ok", True)
        assert one("clock", "--clock-warning", "0s")[0] == "warning"
    else:
        assert mark == "not applicable"


def test_a_check_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr("skg_site.ops.checkup.checks.host.check_disk", lambda *_: over.wait())
    assert one("disk", "--timeout", "0s") == ("failed", "No answer within 1 seconds.")
    over.set()


def record_run(**fields: Any) -> RecursionRun:
    now = datetime.now(UTC)
    return RecursionRun.objects.create(
        **{"requested_by": "tests", "active": None, "created_at": now, "started_at": now, "finished_at": now} | fields
    )


@pytest.mark.parametrize(
    ("fields", "mark", "text"),
    [
        ({"status": RunStatus.SUCCEEDED}, "ok", "succeeded 0 s ago."),
        ({"status": RunStatus.FAILED, "error": "no room\nmore"}, "warning", "failed 0 s ago: no room."),
        ({"status": RunStatus.DIED}, "warning", "died 0 s ago."),
        ({"status": RunStatus.RUNNING, "active": True, "finished_at": None}, "ok", "is running since 0 s."),
    ],
)
def test_the_last_run(fields: dict[str, Any], mark: str, text: str) -> None:
    assert one("recursion")[0] == "not applicable"
    run = record_run(**fields)
    found, said = one("recursion")
    # On a busy machine it may be a second later.
    assert (found, re.sub(r"\b\d+ s( ago|\.)", r"0 s\1", said)) == (mark, f"Run {run.pk} {text}")


@pytest.mark.both
def test_inferred_facts_that_are_all_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    record_run(status=RunStatus.SUCCEEDED)
    store(fact("a", "p", "b"), fact("b", "p", "c"))
    rules = program(TRANSITIVE)
    run(rules)
    assert one("recursion")[0] == "ok"
    monkeypatch.setattr(dependents, "MOST_FACTS", 0)
    remove("a", "p", "b")
    assert one("recursion") == (
        "warning",
        "No inferred facts are shown, since too many rest on deleted facts; `recurse` ends that.",
    )
    run(rules)
    assert one("recursion")[0] == "ok"


def test_a_run_that_lasts_too_long() -> None:
    began = datetime.now(UTC) - timedelta(seconds=settings.ENV.recursion_timeout + 100)
    record_run(status=RunStatus.RUNNING, active=True, started_at=began, finished_at=None)
    assert one("recursion")[0] == "failed"


def test_limits_of_the_disk(tmp_path: Path) -> None:
    assert one("disk", "--disk-failure", "100%")[0] == "failed"
    assert one("disk", "--disk-warning", "1", "--disk-failure", "0")[0] == "warning"
    assert one("disk", "--disk-warning", "0", "--disk-failure", "0")[0] == "ok"
    # A folder that is not there any more stands on the disk of the one above.
    assert str(tmp_path) in check_disk(tmp_path / "gone", Limits(0.15, 0.05)).text


def test_few_files_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Status:
        f_blocks, f_bavail, f_frsize, f_files, f_favail = 100, 50, 4096, 1000, 10

    monkeypatch.setattr("os.statvfs", lambda _: Status)
    finding = check_disk(tmp_path, Limits(0.15, 0.05))
    assert (finding.mark.value, "50%, and 1% of its files." in finding.text) == ("failed", True)


@pytest.fixture
def note() -> Iterator[Callable[..., None]]:
    """A function that notes a backup as `manage.py backup` does."""
    file = settings.ENV.state_dir / "backup.json"

    def write(hours: float, name: str) -> None:
        finished = datetime.now(UTC) - timedelta(hours=hours)
        file.write_text(json.dumps({"finished_at": finished.isoformat(), "bytes": 3 << 20, "file": name}))

    yield write
    file.unlink(missing_ok=True)


def test_the_age_of_the_last_backup(note: Callable[..., None], tmp_path: Path) -> None:
    file = tmp_path / "skg.tar"
    file.touch()
    for hours, mark in ((1, "ok"), (27, "warning"), (51, "failed")):
        note(hours, str(file))
        assert one("backup")[0] == mark
    assert one("backup") == ("failed", f"The last one is 2 d 3 h old: {file}, 3.0 MiB.")
    assert one("backup", "--backup-warning", "60h", "--backup-failure", "90h")[0] == "ok"


def test_a_backup_of_the_future_is_no_good_sign(note: Callable[..., None], tmp_path: Path) -> None:
    file = tmp_path / "skg.tar"
    file.touch()
    note(-72, str(file))
    mark, text = one("backup")
    assert (mark, text.partition(" in the future: ")[2]) == ("warning", f"{file}. A clock was or is wrong.")


def test_a_backup_that_is_gone_or_elsewhere(note: Callable[..., None], tmp_path: Path) -> None:
    note(1, str(tmp_path / "gone"))
    assert one("backup") == ("failed", f"The last backup, {tmp_path / 'gone'}, is not there any more.")
    note(1, "s3://bucket/skg.tar")
    assert one("backup")[0] == "ok"
    (settings.ENV.state_dir / "backup.json").write_text("{")
    assert "is damaged" in one("backup")[1]


def test_errors_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    lines = [
        {"level": "error", "event": "old", "timestamp": (now - timedelta(hours=2)).isoformat()},
        {"level": "info", "event": "no error", "timestamp": now.isoformat()},
        {"level": "error", "event": "no time"},
        {"level": 5, "event": "error", "timestamp": now.isoformat()},
    ]
    log = tmp_path / "service.log"
    log.write_text("an error that is no JSON\n" + "".join(json.dumps(line) + "\n" for line in lines))
    assert one("log", "--log", str(log)) == ("ok", f"No error in the last 1 h of {log}.")
    with log.open("a") as file:
        file.write(json.dumps({"level": "critical", "event": "dis\x1bk", "timestamp": now.isoformat()}) + "\n")
    assert one("log", "--log", str(log)) == ("failed", f"1 error in the last 1 h of {log}; the last: dis\\x1bk.")
    assert one("log", "--log", str(log), "--log-window", "3h")[1].startswith("2 errors in the last 3 h")
    assert one("log", "--log", str(log), "--log-errors", "1")[0] == "ok"
    monkeypatch.setattr("skg_site.ops.checkup.host.MOST_LOG_BYTES", 10)
    assert one("log", "--log", str(log))[0] == "ok"


def test_files_that_everybody_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.touch(0o600)
    monkeypatch.setenv("SKG_SECRET_KEY_FILE", str(secret))
    if settings.ENV.db_path.exists():
        settings.ENV.db_path.chmod(0o600)
    assert one("secrets")[0] == "ok"
    secret.chmod(0o644)
    assert one("secrets") == ("warning", f"Everybody on this host may read: {secret} (-rw-r--r--). Use chmod o-rwx.")


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        status, body = server.pages.get(self.path, (404, b""))
        self.send_response_only(status)
        if server.date is not None:
            self.send_header("Date", server.date)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.pages: dict[str, tuple[int, bytes]] = {"/health": (200, b"{}")}
        self.date: str | None = None


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def answering() -> Iterator[Server]:
    with serving(Server()) as server:
        yield server


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b'{"ready": false, "db_connected": true, "migrated": false}', ": not migrated"), (b"<html>", ""), (b"[]", "")],
)
def test_a_service_that_is_not_ready(answering: Server, body: bytes, reason: str) -> None:
    answering.pages["/ready"] = (503, body)
    assert one("api", "--url", answering.url) == ("failed", f"{answering.url}/ready answers 503{reason}.")


def test_metrics_that_are_not_there_or_another_s(answering: Server) -> None:
    assert one("metrics", "--url", answering.url) == ("failed", f"{answering.url}/metrics answers 404.")
    answering.pages["/metrics"] = (200, b"up 1\n")
    assert "is it this service?" in one("metrics", "--metrics-url", answering.url)[1]


def test_another_clock(answering: Server) -> None:
    assert "does not say what time it is" in one("clock", "--clock", answering.url)[1]
    answering.date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert one("clock", "--clock", answering.url, "--clock-warning", "60s", "--clock-failure", "90s")[0] == "ok"
    answering.date = "Mon, 15 Jan 2024 10:30:00 GMT"
    assert one("clock", "--clock", answering.url)[0] == "failed"
    assert one("clock", "--clock", f"http://127.0.0.1:{free_port()}")[0] == "failed"


def test_a_service_elsewhere_is_asked_for_its_time(change_settings: ChangeSettings) -> None:
    change_settings(database_url="")
    assert "service.invalid" in one("clock", "--url", "http://service.invalid")[1]
    assert one("clock", "--url", "http://localhost")[0] == "not applicable"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def https(authority: trustme.CA) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=10)).configure_cert(context)
    server = Server()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = server.url.replace("http:", "https:")
    with serving(server):
        yield server


def test_the_certificate_of_a_server(https: Server, authority: trustme.CA, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    trust = ("--ca", str(ca))
    https.pages["/ready"] = (200, b"{}")
    assert one("api", "--url", https.url, *trust)[0] == "ok"
    mark, text = one("certificates", "--url", https.url, *trust)
    assert (mark, " is good for 10 days, until " in text) == ("warning", True)
    place = https.url.removeprefix("https://")
    assert one("certificates", "--certificate", place, *trust, "--certificate-warning", "9")[0] == "ok"
    assert "unable to get local issuer" in one("certificates", "--certificate", place)[1]


@pytest.mark.process
def test_the_certificate_of_a_file(authority: trustme.CA, tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    for days, mark in ((100, "ok"), (10, "warning"), (3, "failed"), (-2, "failed")):
        issued = authority.issue_cert("example.com", not_after=datetime.now(UTC) + timedelta(days=days))
        issued.cert_chain_pems[0].write_to_path(str(file))
        assert one("certificates", "--certificate", str(file))[0] == mark
    assert "has expired on" in one("certificates", "--certificate", str(file))[1]
    file.write_text("nothing")
    assert "holds no certificate" in one("certificates", "--certificate", str(file))[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--url", "here"],
        ["--url", "http://localhost:port"],
        ["--disk-warning", "much"],
        ["--disk-warning", "101%"],
        ["--backup-warning", "long"],
        ["--only", "everything"],
        ["--ca", "/nowhere"],
    ],
)
def test_what_makes_no_sense_is_said(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("system_check", *arguments)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (61, "1 min 1 s"), (3600, "1 h"), (-100_000, "1 d 3 h")])
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_listening_everywhere_means_loopback(change_settings: ChangeSettings) -> None:
    for host, name in (("0.0.0.0", "127.0.0.1"), ("::", "[::1]")):
        change_settings(host=host, port=free_port())
        assert one("api")[1].startswith(f"http://{name}:{settings.ENV.port} does not answer")
