"""`manage.py recurse` as cron calls it."""

import json
from pathlib import Path

import orjson
import pytest
from structlog.typing import EventDict

from tests.triples.commands.runs import Inside, Shell, with_graph
from triples.models import RecursionRun
from triples.runs.options import RunOptions
from triples.runs.outcomes import Cancelled
from triples.runs.responses import run_content
from triples.services.runs import run_queue

pytestmark = pytest.mark.both

RULES = [{"transitive": "in", "weight": 0.5}]
FACTS = "a\tin\tb\nb\tin\tc\nc\tin\td\n"


@pytest.fixture
def graph(database: None, tmp_path: Path) -> Inside:
    """A small graph with a rule."""
    return with_graph(tmp_path, FACTS, RULES)


def test_it_derives_and_says_so_once_and_then_has_nothing_to_do(graph: Inside) -> None:
    first = graph.run("recurse")
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith(b"3 inferred facts: 3 added, 0 changed, 0 removed (full, ")
    rounds = [orjson.loads(line) for line in first.stderr.splitlines() if b'"round"' in line]
    assert [made["new"] for made in rounds if made["event"] == "round"] == [2, 1]
    again = graph.run("recurse")
    assert again.returncode == 0
    assert again.stdout == b"Nothing has changed since the last run; 3 inferred facts.\n"


def test_a_dry_run_writes_nothing_and_needs_no_lease(graph: Inside) -> None:
    dry = graph.run("recurse", "--dry-run", "--json", "--max-depth", "1")
    assert dry.returncode == 0, dry.stderr
    content = orjson.loads(dry.stdout)
    assert (content["dry_run"], content["facts"], content["added"]) == (True, 2, 2)
    assert b"There would be 3 inferred facts" in graph.run("recurse", "--dry-run").stdout
    assert graph.run("recurse").stdout.startswith(b"3 inferred facts: 3 added")


@pytest.mark.once
def test_names_are_looked_up_as_they_are_kept(graph: Inside) -> None:
    rule = {"transitive": "in", "name": "pe\u0300re", "weight": 0.5}
    assert graph.run("rules", "load", "-", given=json.dumps([rule]).encode()).returncode == 0
    done = graph.run(
        "recurse", "--rule", " pe\u0300re", "--rule", "p\u00e8re", "--entity-type", "\u00a0e\u0301", "--json"
    )
    options = orjson.loads(done.stdout)["options"]
    assert (options["rules"], options["entity_types"]) == (["p\u00e8re"], ["\u00e9"])


@pytest.mark.once
def test_the_outcome_as_json_is_that_of_the_api(graph: Inside) -> None:
    done = graph.run("recurse", "--json", "--min-weight", "0.3", "--force")
    content = orjson.loads(done.stdout)
    assert (content["status"], content["facts"], content["options"]["min_weight"]) == ("succeeded", 2, 0.3)


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--rule", "no such"], 1, b"There is no enabled rule named no such."),
        (["--dry-run", "--rule", "no such"], 1, b"There is no enabled rule named no such."),
        (["--rule", " "], 2, b"argument --rule: must not be empty"),
        (["--entity-type", ""], 2, b"argument --entity-type: must not be empty"),
        (["--rule", "\u202eno"], 1, b"There is no enabled rule named \\u202eno."),
        (["--max-depth", "0"], 2, b"--max-depth must be at least 1."),
        (["--min-weight", "2"], 2, b"must be a number from 0 to 1"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_an_exit_code(
    graph: Inside, arguments: list[str], code: int, sentence: bytes
) -> None:
    done = graph.run("recurse", *arguments)
    assert done.returncode == code
    assert sentence in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.process
def test_a_run_that_the_service_has_queued_is_told_of_in_its_log_alone(graph: Inside) -> None:
    code = "from triples.runs.options import RunOptions; from triples.services.runs import run_queue\n"
    code += "print(run_queue(options=RunOptions(), requested_by='tests').id)"
    run_id = graph.run("shell", "-v0", "-c", code).stdout.decode().strip()
    done = Shell(graph.variables).run("recurse", "--run", run_id)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    lines = [orjson.loads(line) for line in done.stderr.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("run_started", "info"), ("run_ended", "info")]
    assert graph.run("recurse", "--run", run_id).returncode == 1


@pytest.mark.once
def test_a_run_that_nobody_has_queued_is_told_of_in_the_log(graph: Inside, log: list[EventDict]) -> None:
    assert graph.run("recurse", "--run", "77").returncode == 1
    assert [(line["event"], line["run"]) for line in log] == [("run_not_queued", 77)]


@pytest.mark.process
def test_while_another_run_is_active_it_comes_back_later(graph: Inside) -> None:
    code = "from triples.runs.lease import lease; import sys, time; from triples.services.runs import run_queue\n"
    code += "from triples.runs.options import RunOptions\nrun_queue(options=RunOptions(), requested_by='tests')\n"
    code += "with lease():\n    print('held', flush=True); sys.stdin.read()\n"
    with Shell(graph.variables).start("shell", "-v0", "-c", code) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"held\n"
        refused = graph.run("recurse")
        holder.stdin.close()
    assert refused.returncode == 75
    assert refused.stderr.startswith(b"CommandError: Another run is active, since ")


def test_without_its_tables_it_says_what_to_do(shell: Shell, tmp_path: Path) -> None:
    shell.variables["SKG_DB_PATH"] = str(tmp_path / "empty.db")
    if shell.variables["SKG_DATABASE_URL"]:
        pytest.skip("the database of the test is migrated")
    failed = shell.run("recurse")
    assert failed.returncode == 1
    assert b"Has it been migrated?" in failed.stderr


def queue() -> RecursionRun:
    return run_queue(options=RunOptions(), requested_by="tests")


def test_a_run_is_cancelled_from_the_shell_and_its_process_then_does_nothing(graph: Inside) -> None:
    run = queue()
    done = graph.run("recurse", "--cancel")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"The run was cancelled by command by ")
    assert (graph.run("recurse", "--run", str(run.id)).returncode, RecursionRun.objects.get().started_at) == (0, None)
    assert graph.run("recurse", "--cancel").stdout == b"No run is active.\n"


@pytest.mark.once
def test_the_cancelled_run_is_told_of_as_the_api_does(graph: Inside) -> None:
    assert orjson.loads(graph.run("recurse", "--cancel", "--json").stdout) is None
    queue()
    content = orjson.loads(graph.run("recurse", "--cancel", "--json").stdout)
    assert content == orjson.loads(orjson.dumps(run_content(RecursionRun.objects.get())))
    assert content["status"] == "cancelled"


@pytest.mark.once
def test_who_waits_for_a_run_is_told_that_it_was_cancelled(graph: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancelled(*_: object, **__: object) -> None:
        RecursionRun.objects.update(cancel_requested_by="user ann")
        raise Cancelled

    monkeypatch.setattr("triples.runs.recording.execute", cancelled)
    done = graph.run("recurse")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"The run was cancelled by user ann; the inferred facts are those of the run before." in done.stderr
