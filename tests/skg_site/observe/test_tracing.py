"""Traces, as a collector gets them from a service that runs."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import orjson
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from structlog.typing import EventDict

from skg_site.observe.once_a_minute import OnceAMinute
from tests.conftest import StartService
from tests.support.collector import Collector, attributes
from tests.support.environment import process_environment, service_variables
from tests.support.processes import run_python
from tests.support.service import Service

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SAMPLED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
MARK = "the-clients-own-words"
SECRET = "skg_prod_" + "s3cr3t" * 7
FACT = {"subject": MARK, "predicate": "near", "object": "b", "metadata": {"note": MARK}}
RULE = {"name": "near", "head": ["?x", "near", "?y"], "body": [["?y", "near", "?x"]]}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector().serving() as one:
        yield one


def traced(service: StartService, collector: Collector, **settings: object) -> Service:
    return service(enable_tracing=True, otlp_endpoint=collector.url, **settings)


def by_name(spans: list[Span]) -> dict[str, Span]:
    return {span.name: span for span in spans}


@pytest.mark.both
def test_a_write_is_traced_from_its_caller_to_its_commit(service: StartService, collector: Collector) -> None:
    one = traced(service, collector, measured=True)
    with one.client() as client:
        answer = client.post("/triples/add", json=FACT, headers=SAMPLED)
        refused = client.get("/stats", headers={"Authorization": f"Bearer {MARK}"})
        misplaced = {"X-Request-ID": SECRET, "tracestate": f"a={SECRET}", "X-Forwarded-For": SECRET}
        client.get(f"/stats/{SECRET}", headers={**SAMPLED, **misplaced})
    assert (answer.status_code, refused.status_code) == (201, 401)
    spans = by_name(collector.in_trace(TRACE, lambda names: len(names) == 5))
    request, write, commit = (spans[name] for name in ("POST /triples/add", "graph.write", "commit"))
    assert request.parent_span_id.hex() == PARENT
    assert request.kind == Span.SPAN_KIND_SERVER
    assert {spans["authenticate"].parent_span_id, write.parent_span_id} == {request.span_id}
    assert commit.parent_span_id == write.span_id
    assert attributes(commit)["skg.writes"] == 1
    assert 0 < commit.end_time_unix_nano - commit.start_time_unix_nano < 60e9
    told = attributes(request)
    assert (told["http.route"], told["http.response.status_code"]) == ("/triples/add", 201)
    assert told["skg.request_id"] == answer.headers["X-Request-ID"]
    assert answer.headers["traceresponse"] == f"00-{TRACE}-{request.span_id.hex()}-01"
    assert collector.services == {"skg-api"}
    one.stop()
    # What was not exported yet has been by now. No span says what a client wrote.
    assert [span for span in collector.spans if span.name == "GET /stats"]
    assert MARK.encode() not in collector.raw
    assert SECRET.encode() not in collector.raw


def test_the_log_has_the_ids_of_the_trace(service: StartService, collector: Collector) -> None:
    one = traced(service, collector)
    with one.client() as client:
        client.get("/stats", headers=SAMPLED)
        client.get("/stats", headers={"Authorization": "Bearer bad", **SAMPLED})
    spans = collector.in_trace(TRACE, lambda names: names.count("GET /stats") == 2)
    lines = [line for line in one.log_lines if line.get("trace_id") == TRACE]
    assert {line["event"] for line in lines} == {"request", "auth_failure"}
    requests = {line["span_id"] for line in lines if line["event"] == "request"}
    assert requests == {span.span_id.hex() for span in spans if span.name == "GET /stats"}


def test_rules_and_keys_are_traced_to_their_commits(service: StartService, collector: Collector) -> None:
    one = traced(service, collector)
    with one.client() as client:
        client.get("/stats")
        assert client.post("/rules", json=RULE, headers=SAMPLED).status_code == 201
        issued = client.post("/keys", json={"name": "k", "scopes": ["read"]}, headers=SAMPLED).json()
        # With a key that has not been used, which is noted, but in no trace.
        read = {"Authorization": f"Bearer {issued['key']}", **SAMPLED}
        assert client.get("/keys/me", headers=read).status_code == 200
    one.stop()
    spans = collector.in_trace(TRACE, lambda names: "GET /keys/me" in names)
    named = by_name(spans)
    assert sorted(span.name for span in spans) == [
        *["GET /keys/me", "POST /keys", "POST /rules", *["authenticate"] * 3],
        *["commit"] * 2,
    ]
    commits = {span.parent_span_id: span for span in spans if span.name == "commit"}
    assert commits.keys() == {named["POST /rules"].span_id, named["POST /keys"].span_id}
    for commit in commits.values():
        assert attributes(commit)["db.system.name"] in {"sqlite", "postgresql"}
        assert 0 < commit.end_time_unix_nano - commit.start_time_unix_nano < 60e9


def test_only_requests_begin_traces_and_nothing_is_told_that_is_empty(
    service: StartService, collector: Collector
) -> None:
    one = traced(service, collector)
    headers = [{}, {"Authorization": ""}, {"Authorization": "Bearer bad"}, {"Authorization": "Basic x"}, one.headers]
    for header in headers:
        httpx.get(f"{one.url}/keys/me", headers=header)
    httpx.get(f"{one.url}/ready")
    # What a worker looks at every five seconds has been looked at, since its metrics are there.
    with one.client() as client:
        assert until_shown(client, "skg_facts")
    one.stop()
    roots = [span.name for span in collector.spans if not span.parent_span_id]
    assert roots == ["GET /keys/me"] * len(headers)
    statuses = [span.status for span in collector.spans if span.name == "authenticate"]
    assert [status.code for status in statuses] == [Status.STATUS_CODE_ERROR] * 4 + [Status.STATUS_CODE_UNSET]
    assert {status.message for status in statuses} == {""}
    told = [attributes(span) for span in collector.spans]
    assert "" not in {value for one in told for value in one.values()}
    assert len([one for one in told if "skg.key_id" in one]) == 1


def until_shown(client: httpx.Client, metric: str) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if f"\n{metric}" in client.get("/metrics").text:
            return True
        time.sleep(0.05)
    return False


def test_reads_are_traced_and_probes_are_not(service: StartService, collector: Collector) -> None:
    one = traced(service, collector)
    with one.client() as client:
        client.get("/health", headers=SAMPLED)
        client.post("/query", json={"pattern": [MARK, None, None]}, headers=SAMPLED)
    spans = by_name(collector.in_trace(TRACE, lambda names: "POST /query" in names))
    assert set(spans) == {"POST /query", "authenticate", "graph.heaviest"}
    assert attributes(spans["graph.heaviest"])["db.system.name"] in {"sqlite", "postgresql"}


def test_the_plan_of_a_question_is_traced(service: StartService, collector: Collector) -> None:
    one = traced(service, collector)
    with one.client() as client:
        assert client.post("/triples/add", json=FACT).status_code == 201
        asked = {"patterns": [["?x", "near", "?y"]]}
        assert client.post("/query/patterns", json=asked, headers=SAMPLED).status_code == 200
    spans = by_name(collector.in_trace(TRACE, lambda names: "graph.ask" in names))
    told = attributes(spans["graph.ask"])
    assert (told["skg.plan.way"], told["skg.plan.order"], told["skg.plan.facts_read"]) == ("in parts", "0", 1)


@pytest.mark.both
def test_a_run_is_in_the_trace_of_the_request_that_asked_for_it(service: StartService, collector: Collector) -> None:
    one = traced(service, collector)
    with one.client(timeout=90) as client:
        assert client.post("/triples/add", json=FACT).is_success
        assert client.post("/rules", json=RULE).is_success
        answer = client.post("/recurse", headers={"Prefer": "wait=60", **SAMPLED})
    assert answer.json()["status"] == "succeeded", answer.text
    spans = collector.in_trace(TRACE, lambda names: {"recursion", "POST /recurse"} <= set(names))
    named = by_name(spans)
    assert named["recursion"].parent_span_id == named["POST /recurse"].span_id
    assert attributes(named["recursion"])["skg.outcome"] == "succeeded"
    rounds = [span for span in spans if span.name == "recursion.round"]
    assert rounds
    assert {span.parent_span_id for span in rounds} == {named["recursion"].span_id}
    assert sum(attributes(span)["skg.new_facts"] for span in rounds) == 1


def test_what_the_caller_decided_is_kept_to_and_the_rest_is_sampled(
    service: StartService, collector: Collector
) -> None:
    one = traced(service, collector, trace_sample=0)
    unsampled = {"traceparent": f"00-{TRACE[::-1]}-{PARENT}-00"}
    with one.client() as client:
        assert client.post("/triples/add", json=FACT, headers=unsampled).headers["traceresponse"].endswith("-00")
        client.get("/stats")
        client.get("/stats", headers=SAMPLED)
    one.stop()
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}


def test_an_answer_that_failed_is_marked(service: StartService, collector: Collector) -> None:
    one = traced(service, collector, pool_timeout=0.5)
    with closing(sqlite3.connect(one.folder / "skg.db", isolation_level=None)) as other, one.client() as client:
        other.execute("BEGIN IMMEDIATE")
        assert client.post("/triples/add", json=FACT, headers=SAMPLED).status_code == 503
    spans = by_name(collector.in_trace(TRACE, lambda names: "POST /triples/add" in names))
    assert spans["POST /triples/add"].status.code == Status.STATUS_CODE_ERROR
    assert "commit" not in spans


def test_a_collector_that_is_down_fails_no_request(service: StartService) -> None:
    one = service(enable_tracing=True, otlp_endpoint="http://127.0.0.1:9")
    assert httpx.get(f"{one.url}/stats", headers=one.headers).is_success


def test_a_collector_that_is_down_is_one_line_a_minute(log: list[EventDict], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("skg_site.observe.once_a_minute.monotonic", lambda: now)
    handler = OnceAMinute("skg.tracing", "traces_not_exported")
    for second in range(150):
        now = 1000.0 + second
        handler.handle(logging.makeLogRecord({"levelname": "ERROR", "msg": "refused: %s", "args": ("no " * 200,)}))
    assert [(line["event"], line["messages_left_out"]) for line in log] == [
        ("traces_not_exported", 0),
        ("traces_not_exported", 59),
        ("traces_not_exported", 59),
    ]
    assert len(log[0]["error"]) == 300


@pytest.mark.process
def test_what_the_exporter_says_goes_through_there(tmp_path: Path) -> None:
    program = """
import django; django.setup()
from skg_site.observe.trace_export import provider_for_settings
provider = provider_for_settings()
for _ in range(3):
    provider.get_tracer("test").start_span("one").end()
    provider.force_flush()
"""
    variables = service_variables(tmp_path, enable_tracing=True, otlp_endpoint="http://127.0.0.1:9")
    variables |= {"DJANGO_SETTINGS_MODULE": "skg_site.settings", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "1"}
    done = run_python(["-c", program], env=process_environment(variables))
    assert done.returncode == 0
    [line] = done.stderr.splitlines()
    assert orjson.loads(line)["event"] == "traces_not_exported"


@pytest.mark.process
@pytest.mark.parametrize("settings", [{}, {"enable_tracing": True}, {"otlp_endpoint": "http://127.0.0.1:9"}])
def test_nothing_of_it_is_loaded_where_it_is_off(tmp_path: Path, settings: dict[str, object]) -> None:
    program = (
        "import django; django.setup(); import sys, skg_site.asgi;"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    variables = service_variables(tmp_path, **settings)
    environment = process_environment(variables | {"DJANGO_SETTINGS_MODULE": "skg_site.settings"})
    assert run_python(["-c", program], env=environment).returncode == 0
