"""What is measured does its work: the load is all new and all done, and the floor's steps are what they say."""

from pathlib import Path

import httpx
import pytest

from tests.benchmarks.__main__ import FAILED, UNAVAILABLE, main
from tests.benchmarks.floor import _server
from tests.benchmarks.floor_steps import Step
from tests.benchmarks.report import Settings
from tests.benchmarks.servers import Failed, processor_seconds, running, service
from tests.benchmarks.wrk import WORK, drive
from tests.support.service import KEY
from tests.support.tools import require_tool

KEYED = {"Authorization": f"Bearer {KEY}"}
QUESTION = {"pattern": ["S1", None, None]}


def test_every_kind_of_work_is_done_and_counted(tmp_path: Path) -> None:
    require_tool("wrk")
    server = service(tmp_path)
    with running(server) as process, httpx.Client(base_url=server.url, headers=KEYED) as client:
        server.fill(server.url, 200)
        before = client.get("/stats").json()
        loads = {work: drive(server, work, 1) for work in WORK}
        after = client.get("/stats").json()
        assert processor_seconds(process.pid) > 0
    assert before["total_triples"] == 200
    # What was still under way when the second was over is stored and not counted.
    added = after["total_triples"] - before["total_triples"]
    assert added >= loads["add"].requests + 100 * loads["batch"].requests
    assert all(load.per_second > 0 and load.p50 <= load.p99 for load in loads.values())
    assert "SKG_SYNCHRONOUS=FULL" in server.shown


def test_answers_that_are_no_success_are_no_result(tmp_path: Path) -> None:
    require_tool("wrk")
    server = service(tmp_path, rate_limit="1/h")
    with running(server), pytest.raises(Failed, match="A quick error is no result"):
        drive(server, "query", 1)


def test_a_server_that_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    server = service(tmp_path, application="tests.nothing:application")
    with pytest.raises(Failed, match="did not start"), running(server):
        pass


@pytest.mark.parametrize(
    ("step", "statuses", "headers"),
    [
        pytest.param(Step.UVICORN, (200, 200), set(), marks=pytest.mark.long),
        pytest.param(Step.WORKER, (200, 200), set(), marks=pytest.mark.long),
        (Step.DOOR, (200, 200), set()),
        pytest.param(Step.AUTHENTICATION, (401, 200), set(), marks=pytest.mark.long),
        pytest.param(Step.LIMITS, (401, 200), {"ratelimit"}, marks=pytest.mark.long),
        pytest.param(Step.METRICS, (401, 200), {"ratelimit", "x-request-id"}, marks=pytest.mark.long),
        (Step.READING, (401, 200), {"ratelimit", "x-request-id"}),
    ],
)
def test_each_step_of_the_floor_has_its_part_and_not_the_next(
    tmp_path: Path, step: Step, statuses: tuple[int, int], headers: set[str]
) -> None:
    server = _server(Settings(tmp_path), step)
    with running(server):
        without = httpx.post(f"{server.url}/query", json=QUESTION)
        answer = httpx.post(f"{server.url}/query", json=QUESTION, headers=KEYED)
        unread = httpx.post(f"{server.url}/query", json={"no": "question"}, headers=KEYED)
    assert (without.status_code, answer.status_code) == statuses
    assert {"ratelimit", "x-request-id"} & set(answer.headers) == headers
    assert unread.status_code == (422 if step is Step.READING else 200)
    assert answer.json() == {"results": [], "total": 0}


def test_sections_without_their_peer_are_left_out_loudly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require_tool("wrk")
    sections = ["--only", "fastapi", "--only", "oxigraph", "--only", "import", "--only", "recursion", "--only", "soak"]
    assert main(["--quick", "--output", str(tmp_path), *sections]) == 0
    told = capsys.readouterr().err
    assert told.count("LEFT OUT:") == 5
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert text.count("- **") == 5
    assert "SQLite" in text
    assert not (tmp_path / "work").exists()


def test_a_section_that_fails_is_in_the_report_and_makes_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # An interpreter that ends well whatever it is told, and loads nothing.
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    options = ["--quick", "--output", str(tmp_path), "--peer-python", str(python), "--only", "import"]
    assert main(options) == FAILED
    assert "FAILED: Bulk import" in capsys.readouterr().err
    assert "## Failed" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_without_wrk_nothing_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--only", "floor", "--output", str(tmp_path / "report")]) == UNAVAILABLE
    assert "apt install wrk" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
