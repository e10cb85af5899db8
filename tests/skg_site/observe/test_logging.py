"""The log of a service that runs: what is in it, and what never is."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest

from tests.conftest import StartService
from tests.support.environment import process_environment
from tests.support.processes import run_python
from tests.support.service import KEY, Service, manage

MARK = "the-clients-own-words"
FACT = {"subject": MARK, "predicate": MARK, "object": MARK, "metadata": {MARK: MARK}}
REQUEST_FIELDS = {"timestamp", "level", "event", "request_id", "key_id", "ip", "endpoint", "status", "duration_ms"}


def lines(service: Service, event: str) -> list[dict[str, Any]]:
    return [line for line in service.log_lines if line["event"] == event]


@pytest.mark.both
def test_nothing_that_a_client_sent_is_in_the_log(service: StartService) -> None:
    one = service(workers=1, trusted_proxies=["127.0.0.1"])
    with one.client() as client:
        made = client.post("/keys", json={"name": "another", "scopes": ["read"]}).json()["key"]
        added = client.post("/triples/add", json=FACT)
        assert added.status_code == 201
        client.post("/triples/batch", json={"triples": [FACT, {MARK: MARK}], "skip_invalid": True})
        client.post("/query", json={"pattern": [MARK, None, None]})
        client.post("/query", content=f'{{"{MARK}')
        client.post("/rules", json={"name": "r", "head": ["?x", MARK, "?y"], "body": [["?y", MARK, "?x"]]})
        assert client.post("/recurse", headers={"Prefer": "wait=60"}, timeout=90).json()["status"] == "succeeded"
        client.get(f"/{MARK}", params={MARK: MARK}, headers=dict.fromkeys(("User-Agent", "Cookie", "Referer"), MARK))
        client.get("/keys/me", headers={"Authorization": f"Bearer {made}"})
        client.get("/stats", headers={"Authorization": f"Bearer {MARK}"})
        client.get("/stats", headers={"Authorization": f"Bearer {made[:-1]}"})
        for path in ("/stats", "/static/x", "/admin/"):
            for misplaced in (made, KEY):
                client.get(path, headers={"X-Request-ID": misplaced, "X-Forwarded-For": misplaced})
                client.get(path, headers={"Host": misplaced})
                client.get(f"{path}{misplaced}", headers={"Referer": misplaced})
        client.post("/admin/login/", data={"username": MARK, "password": MARK})
    one.stop()
    text = one.log_text
    # The public id, which names a key in the log, is what its secret begins with.
    for secret in (MARK, KEY, made.split("_")[-1][8:16], made[-12:-6], one.variables["SKG_SECRET_KEY"]):
        assert secret not in text
    assert made.split("_")[-1][:8] in text
    # What the client had called its request is said, with the key in it masked.
    replaced = [line["client_request_id"] for line in one.log_lines if "client_request_id" in line]
    assert set(replaced) == {f"{made[:17]}***", "***"}


def test_requests_and_refused_keys_have_the_fields_that_operators_look_for(service: StartService) -> None:
    one = service()
    with one.client() as client:
        refused = client.get("/stats", headers={"Authorization": "Bearer wrong"})
    one.stop()
    [failure] = lines(one, "auth_failure")
    # jq '. | {timestamp, ip, endpoint}'
    assert (failure["ip"], failure["endpoint"], failure["level"]) == ("127.0.0.1", "/stats", "warning")
    assert datetime.fromisoformat(failure["timestamp"]).tzinfo is not None
    assert failure["request_id"] == refused.headers["X-Request-ID"]
    assert all(line.keys() >= REQUEST_FIELDS for line in lines(one, "request"))


def test_an_error_that_nobody_foresaw_is_logged_once_with_its_trace(service: StartService) -> None:
    one = service()
    with one.client() as client, closing(sqlite3.connect(one.folder / "skg.db", isolation_level=None)) as database:
        made = client.post("/keys", json={"name": "damaged", "scopes": ["read"]}).json()
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute("UPDATE apikeys_apikey SET rate = 'x' WHERE public_id = ?", [made["id"]])
        answer = client.get("/stats", headers={"Authorization": f"Bearer {made['key']}"})
    one.stop()
    assert answer.status_code == 500
    traces = [line for line in one.log_lines if "exception" in line]
    [line] = [line for line in one.log_lines if "Traceback" in str(line) or "exception" in line]
    assert traces == [line]
    assert (line["event"], line["level"]) == ("uncaught_error", "error")
    assert line["request_id"] == answer.json()["request_id"] == answer.headers["X-Request-ID"]
    [trace] = [one for one in line["exception"] if one["exc_type"] == "ValueError"]
    assert trace["frames"]
    assert all("locals" not in frame for frame in trace["frames"])
    assert made["key"] not in one.log_text


def test_the_console_format_is_for_people(service: StartService) -> None:
    one = service(log_format="console")
    with one.client() as client:
        client.get("/stats")
    one.stop()
    [line] = [line for line in one.log_text.splitlines() if "/stats" in line]
    assert "request" in line
    assert not line.startswith("{")
    assert re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line)


def test_a_level_leaves_out_what_is_below_it(service: StartService) -> None:
    one = service(log_level="WARNING")
    with one.client() as client:
        client.get("/stats")
        client.get("/stats", headers={"Authorization": "Bearer wrong"})
    one.stop()
    assert [line["event"] for line in one.log_lines] == ["auth_failure"]
    assert manage("check", variables=one.variables | {"SKG_LOG_FORMAT": "console"}).returncode == 0


HOSTILE = "a\u202eb\x1b[31m\x9bc\u2028d"
WRITE_A_LINE = """
import logging, sys, structlog
from skg_site.observe.logging import configure
configure({"level": "INFO", "format": sys.argv[1]})
structlog.get_logger("skg.tests").info("request", path=sys.argv[2])
logging.getLogger("foreign").warning("Invalid path: %s", sys.argv[2])
"""


@pytest.mark.process
@pytest.mark.parametrize("format_", ["json", "console"])
def test_no_line_turns_or_steers_the_terminal_that_shows_it(format_: str) -> None:
    done = run_python(["-c", WRITE_A_LINE, format_, HOSTILE], env=process_environment({}))
    assert done.returncode == 0
    # The console's own colours are no part of what was sent.
    lines_ = re.sub(r"\x1b\[[0-9;]*m", "", done.stderr.decode()).split("\n")[:-1]
    assert len(lines_) == 2
    for line in lines_:
        assert not set("\u202e\x9b\u2028").intersection(line)
        assert "a\\u202eb" in line
        if format_ == "json":
            assert HOSTILE in "".join(map(str, json.loads(line).values()))
        else:
            assert "b\\x1b[31m" in line
