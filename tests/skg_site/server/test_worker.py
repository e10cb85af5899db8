"""The service under gunicorn: how it starts, stops and survives the loss of a process."""

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.conftest import StartService
from tests.service.wire import eventually
from tests.support.environment import process_environment, service_variables
from tests.support.processes import run_python
from tests.support.service import GUNICORN, free_port


def is_alive(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_ctrl_c_stops_every_process_at_once_and_without_a_trace(service: StartService) -> None:
    one = service(workers=2)
    assert one.process is not None
    workers = one.workers
    with one.client() as client:
        # An idle connection that the client keeps open must not hold the service up.
        client.get("/health")
        began = time.monotonic()
        os.killpg(one.process.pid, signal.SIGINT)
        assert one.process.wait(30) == 0
    # Far from the 25 s that SIGTERM would give, also where the machine is busy.
    assert time.monotonic() - began < 10
    assert not any(map(is_alive, workers))
    assert "Traceback" not in one.log_text
    assert [line for line in one.log_lines if line["level"] not in {"info", "debug"}] == []


def test_ctrl_c_while_the_workers_load_is_no_accident(service: StartService) -> None:
    one = service(workers=2)
    one.stop()
    one.log_file.unlink()
    one.launch()
    assert one.process is not None
    assert eventually(lambda: len(one.workers) == 2, 30)
    os.killpg(one.process.pid, signal.SIGINT)
    assert one.process.wait(30) == 0
    assert [line for line in one.log_lines if line["level"] not in {"info", "debug"}] == []


def test_sigterm_lets_a_request_under_way_finish(service: StartService) -> None:
    one = service()
    body = b'{"subject": "Ada", "predicate": "wrote", "object": "notes"}'

    def slow_body() -> object:
        yield body[:20]
        # Until the worker has taken the connection, it is the kernel's, and lost when the listener closes.
        time.sleep(0.5)
        one.process.send_signal(signal.SIGTERM)  # type: ignore[union-attr]  # it was started above
        time.sleep(0.7)
        yield body[20:]

    with one.client() as client:
        answer = client.post(
            "/triples/add",
            content=slow_body(),  # type: ignore[arg-type]  # httpx takes any iterable of bytes
            headers={"Content-Type": "application/json", "Content-Length": str(len(body))},
        )
    assert answer.status_code == 201
    assert one.process is not None
    assert one.process.wait(30) == 0


def test_a_killed_worker_is_replaced_and_no_request_fails_afterwards(service: StartService) -> None:
    one = service(workers=2)
    lost = one.workers[0]
    os.kill(lost, signal.SIGKILL)
    assert eventually(lambda: lost not in one.workers and len(one.workers) == 2, 30)
    with one.client() as client:
        assert eventually(lambda: client.get("/ready").is_success, 30)
    assert one.stop() == 0


def test_workers_do_not_outlive_a_killed_master(service: StartService) -> None:
    one = service(workers=2)
    workers = one.workers
    assert one.process is not None
    os.kill(one.process.pid, signal.SIGKILL)
    one.process.wait(30)
    assert eventually(lambda: not any(map(is_alive, workers)), 30)


def test_every_line_of_the_log_is_an_object_with_an_event(service: StartService) -> None:
    one = service()
    with one.client() as client:
        client.get("/stats", headers={"X-Request-ID": "find-me"})
    one.stop()
    assert all("event" in line and "timestamp" in line and "level" in line for line in one.log_lines)
    assert [line["endpoint"] for line in one.log_lines if line.get("request_id") == "find-me"] == ["/stats"]


def test_metrics_of_all_workers_are_counted_together_and_afresh_after_a_start(service: StartService) -> None:
    one = service(workers=2)

    def counted() -> float:
        lines = httpx.get(f"{one.url}/metrics").text.splitlines()
        return sum(
            float(line.split()[-1]) for line in lines if line.startswith("skg_requests_total{") and "/stats" in line
        )

    for _ in range(20):
        # A connection each, so that both workers get some.
        assert httpx.get(f"{one.url}/stats", headers=one.headers).is_success
    assert counted() == 20
    one.stop()
    one.start()
    assert counted() == 0


def test_another_metrics_port_serves_the_metrics_and_nothing_else(service: StartService) -> None:
    port = free_port()
    one = service(metrics_port=port)
    apart = f"http://127.0.0.1:{port}"
    assert "skg_requests_total" in httpx.get(f"{apart}/metrics").text
    assert httpx.get(f"{one.url}/metrics").status_code == 404
    assert httpx.get(f"{apart}/stats", headers=one.headers).status_code == 404
    assert httpx.get(f"{apart}/admin/").status_code == 404


def test_a_trusted_proxy_says_who_the_client_is(service: StartService) -> None:
    # The proxy comes by IPv4 to a service that listens on both families.
    one = service(host="::", metrics_networks=["203.0.113.0/24"], trusted_proxies=["127.0.0.1"])
    assert httpx.get(f"{one.url}/metrics").status_code == 403
    forwarded = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
    assert httpx.get(f"{one.url}/metrics", headers=forwarded).status_code == 200
    assert {"127.0.0.1", "203.0.113.9"} == {line["ip"] for line in one.log_lines if line.get("endpoint") == "/metrics"}


def test_without_a_trusted_proxy_nobody_is_believed(service: StartService) -> None:
    one = service(metrics_networks=["203.0.113.0/24"])
    assert httpx.get(f"{one.url}/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "value"), [("SKG_PORT", "seven"), ("SKG_PROT", "7777"), ("SKG_DATABASE_URL", "mysql://x")]
)
def test_a_wrong_setting_stops_the_start_with_one_sentence(name: str, value: str, tmp_path: Path) -> None:
    result = run_python(GUNICORN, env=process_environment(service_variables(tmp_path) | {name: value}))
    assert result.returncode == 1
    assert name in result.stderr.decode()
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_master_that_cannot_listen_says_so(service: StartService, tmp_path: Path) -> None:
    one = service()
    variables = service_variables(tmp_path, port=one.port, host="127.0.0.1")
    result = run_python(GUNICORN, env=process_environment(variables))
    assert result.returncode == 1
    assert b"in use" in result.stderr
