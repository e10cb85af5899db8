"""`manage.py load_test` against the running service."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from tests.conftest import FreshDatabase
from tests.skg_site.ops.loadtest.servers import answer, answering, serving_apart
from tests.support.environment import process_environment
from tests.support.processes import PythonProcess
from tests.support.service import KEY, Service, free_port

BRIEFLY = ("--duration", "1s", "--warm-up", "0s", "--concurrency", "4", "--batch-size", "10", "--rate", "100", "--json")


@pytest.fixture(scope="module")
def running(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("loaded")
    one = Service(folder, **fresh_database(folder))
    one.start()
    yield one
    one.end()


def start(one: Service, *arguments: str, key: str | None = KEY) -> "subprocess.Popen[bytes]":
    # The command has no database of its own: it is a client.
    variables = {"SKG_DB_PATH": str(one.folder / "nowhere/skg.db"), "SKG_PORT": str(one.port), "API_KEY": key or ""}
    return PythonProcess(
        ["manage.py", "load_test", *arguments],
        env=process_environment(variables),
        set_up=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


Ended = tuple[int, bytes, str]


def run(one: Service, *arguments: str, key: str | None = KEY, given: bytes = b"") -> Ended:
    with start(one, *arguments, key=key) as process:
        stdout, stderr = process.communicate(given, timeout=200)
    return process.returncode, stdout, stderr.decode()


def facts_of(one: Service, predicate: str) -> list[dict[str, Any]]:
    with one.client() as client:
        rows: list[dict[str, Any]] = client.get("/triples", params={"predicate": predicate}).json()["triples"]
        return rows


def test_a_load_is_measured_and_what_it_added_is_gone_afterwards(running: Service) -> None:
    code, stdout, stderr = run(running, *BRIEFLY, "--mix", "query=3,add=2,batch=1")
    assert code == 0, stderr
    content = orjson.loads(stdout)
    assert content["url"] == running.url
    assert content["complete"]
    assert content["failed"] == 0
    assert set(content["work"]) == {"query", "add", "batch"}
    assert content["statuses"] == {
        status: content["work"][work]["requests"]
        for status, work in (("200", "query"), ("201", "add"), ("202", "batch"))
    }
    predicate = content["facts"]["predicate"]
    added = content["work"]["add"]["requests"] + 10 * content["work"]["batch"]["requests"]
    assert content["facts"] == {"predicate": predicate, "removed": added, "kept": False}
    assert facts_of(running, predicate) == []


def test_the_table_shows_each_kind_of_work_and_a_histogram(running: Service) -> None:
    code, stdout, stderr = run(running, "--duration", "1s", "--warm-up", "1s", "--mix", "query=1,add=1")
    assert code == 0, stderr
    text = stdout.decode()
    for shown in ("per second", "p99.9", "add ", "query ", "all ", "█", "200: "):
        assert shown in text
    assert "after 1 s of warm-up" in stderr


def test_facts_can_be_kept_and_the_next_load_asks_about_them(running: Service) -> None:
    code, stdout, stderr = run(running, *BRIEFLY, "--mix", "add=1", "--keep")
    assert code == 0, stderr
    facts = orjson.loads(stdout)["facts"]
    assert facts["kept"]
    assert facts_of(running, facts["predicate"])[0]["subject"].startswith(facts["predicate"])
    code, stdout, _ = run(running, *BRIEFLY, "--mix", "query=1", "--rate", "20")
    assert code == 0
    assert orjson.loads(stdout)["rate"] == 20
    # Whoever kept them, or was killed before the end, can have them deleted later.
    code, stdout, _ = run(running, "--remove", facts["predicate"])
    assert code == 0
    assert f"facts with the predicate {facts['predicate']} were deleted" in stdout.decode()
    assert facts_of(running, facts["predicate"]) == []
    code, stdout, _ = run(running, "--remove", facts["predicate"], "--json")
    assert orjson.loads(stdout) == {"predicate": facts["predicate"], "removed": 0}


def test_failures_are_counted_told_and_make_the_exit_code(running: Service) -> None:
    # More facts than SKG_MAX_BATCH_SIZE allows.
    options = ("--mix", "query=9,batch=1", *BRIEFLY, "--batch-size", "101")
    code, stdout, stderr = run(running, *options)
    assert code == 1
    content = orjson.loads(stdout)
    assert content["work"]["batch"]["statuses"] == {"422": content["failed"]}
    assert "of the requests failed" in stderr
    code, _, stderr = run(running, *options, "--tolerate", "50%")
    assert code == 0, stderr


def test_ctrl_c_ends_the_load_cleans_up_and_shows_what_was_measured(running: Service) -> None:
    with start(running, "--duration", "1h", "--json", "--mix", "add=1", "--warm-up", "0s") as process:
        assert process.stderr is not None
        predicate = process.stderr.readline().decode().rpartition(" ")[2].strip(".\n")
        wait_for_facts(running, predicate)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=200)
    assert process.returncode == 130, stderr
    assert b"Interrupted" in stderr
    content = orjson.loads(stdout)
    assert not content["complete"]
    assert content["failed"] == 0
    assert content["facts"]["removed"] == content["requests"]
    assert facts_of(running, predicate) == []


def wait_for_facts(one: Service, predicate: str) -> None:
    deadline = time.monotonic() + 30
    while not facts_of(one, predicate):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_key_may_come_from_a_file_or_a_pipe(running: Service, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    options = (*BRIEFLY, "--mix", "query=1")
    assert run(running, *options, "--key-file", str(file), key=None)[0] == 0
    assert run(running, *options, "--key-file", "-", key=None, given=KEY.encode())[0] == 0


@pytest.mark.parametrize("key", [None, "some-other-key"])
def test_a_key_that_does_not_work_is_told_before_anything_is_sent(running: Service, key: str | None) -> None:
    code, stdout, stderr = run(running, *BRIEFLY, key=key)
    assert (code, stdout) == (77, b"")
    assert "refuses the key" in stderr


def test_a_key_that_lacks_a_scope_is_told_which(running: Service) -> None:
    with running.client() as client:
        key, writer = (
            client.post("/keys", json={"name": scope, "scopes": [scope]}).json()["key"] for scope in ("read", "write")
        )
    code, _, stderr = run(running, *BRIEFLY, key=key)
    assert code == 77
    assert "lacks the scope write" in stderr
    assert run(running, *BRIEFLY, "--mix", "query=1", key=key)[0] == 0
    code, _, stderr = run(running, *BRIEFLY, "--mix", "add=1,query=1", key=writer)
    assert code == 77
    assert "lacks the scope read" in stderr
    assert run(running, *BRIEFLY, "--mix", "add=1", key=writer)[0] == 0


def test_a_limited_key_shows_what_was_refused(running: Service) -> None:
    with running.client() as client:
        key = client.post("/keys", json={"name": "slow", "scopes": ["read"], "rate": "5/h"}).json()["key"]
    briefly = ("--duration", "1s", "--warm-up", "0s", "--mix", "query=1")
    code, stdout, stderr = run(running, *briefly, "--ignore-limit", key=key)
    assert code == 1, stderr
    assert "429 is a limit of the key" in stdout.decode()
    code, stdout, stderr = run(running, *briefly, key=key)
    assert (code, stdout) == (77, b"")
    assert "The key may send 5 requests in 3,600 seconds to each endpoint" in stderr
    assert "(--rate 5)" in stderr
    with running.client() as client:
        key = client.post("/keys", json={"name": "slow", "scopes": ["read"], "rate": "5/h"}).json()["key"]
    assert run(running, *briefly, "--rate", "5", key=key)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ftp://localhost"], "is no URL"),
        (["http://192.0.2.7:7777"], "--i-own-this-host"),
        (["--concurrency", "0"], "1 to 10000"),
        (["--batch-size", "many"], "whole number"),
        (["--duration", "0s"], "more than nothing"),
        (["--duration", "10"], "length of time"),
        (["--mix", "delete=1"], "query, add, batch"),
        (["--rate", "0"], "requests a second"),
        (["--rate", "fast"], "requests a second"),
        (["--tolerate", "101%"], "share"),
        (["--tolerate", "few"], "share"),
        (["--remove", "discovered"], "name of a load"),
        (["--remove", "load_test-1a2b3c4d", "--keep"], "not allowed with"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(arguments: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        call_command("load_test", *arguments)


@pytest.mark.parametrize("content", [b"", b"two\nlines", b"\xff", "schlüssel".encode()])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(CommandError, match="does not hold a key") as raised:
        call_command("load_test", "--key-file", str(file))
    assert raised.value.returncode == 2


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file") as raised:
        call_command("load_test", "--key-file", str(tmp_path / "key"))
    assert raised.value.returncode == 1


def test_a_variable_that_holds_no_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "two\nlines")
    with pytest.raises(CommandError, match="API_KEY does not hold a key"):
        call_command("load_test")


def test_where_there_is_no_service_it_says_so() -> None:
    with pytest.raises(CommandError, match="connection refused") as raised:
        call_command("load_test", f"http://127.0.0.1:{free_port()}")
    assert raised.value.returncode == 69


def test_another_machine_is_loaded_when_told_so() -> None:
    # A host that does not exist ends it before anything is sent.
    with pytest.raises(CommandError, match="does not answer") as raised:
        call_command("load_test", "http://nowhere.invalid", "--i-own-this-host")
    assert raised.value.returncode == 69


ALL_SCOPES = answer(200, orjson.dumps({"scopes": ["read", "write"]}))


def test_facts_that_could_not_be_deleted_make_the_exit_code() -> None:
    refusing = answering(ALL_SCOPES, answer(201), answer(500, b"{}"))
    with (
        serving_apart(refusing) as url,
        pytest.raises(CommandError, match=r"still there: POST /triples/delete gave 500\. --remove load_test-"),
    ):
        call_command("load_test", url, "--mix", "add=1", "--rate", "1", "--duration", "1s", "--warm-up", "0s")
    refusing = answering(ALL_SCOPES, answer(500, b"{}"))
    with serving_apart(refusing) as url, pytest.raises(CommandError, match="POST /triples/delete gave 500") as raised:
        call_command("load_test", url, "--remove", "load_test-1a2b3c4d")
    assert raised.value.returncode == 1


def test_ctrl_c_before_anything_was_sent_says_so() -> None:
    async def interrupting(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        os.kill(os.getpid(), signal.SIGINT)
        await reader.read()

    with serving_apart(interrupting) as url, pytest.raises(CommandError, match="before anything was sent") as raised:
        call_command("load_test", url)
    assert raised.value.returncode == 130


def test_a_key_that_is_refused_ends_it() -> None:
    with serving_apart(answering(answer(401, b"{}"))) as url, pytest.raises(CommandError) as raised:
        call_command("load_test", url)
    assert raised.value.returncode == 77
