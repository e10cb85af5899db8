"""One run at a time, whoever asks and whoever died."""

import os
import subprocess
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.support.database import in_orm, in_orm_thread
from tests.support.processes import PythonProcess
from tests.triples.runs.graphs import Graph
from triples.models import RecursionRun, RunStatus
from triples.runs.lease import LeaseTaken, is_taken, lease
from triples.runs.options import RunOptions
from triples.runs.recording import Recorder, perform
from triples.services.runs import RunActive, UnknownRules, run_queue

pytestmark = pytest.mark.both


def queue() -> RecursionRun:
    return run_queue(options=RunOptions(), requested_by="tests")


@in_orm_thread
def test_the_lease_is_one_holders_at_a_time(database: None) -> None:
    assert not is_taken()
    with lease():
        assert is_taken()
        with pytest.raises(LeaseTaken), lease():
            raise AssertionError("held twice")
    assert not is_taken()


@pytest.mark.process
def test_a_dead_process_loses_the_lease(database: None) -> None:
    code = (
        "import django, sys, time; django.setup()\n"
        "from triples.runs.lease import lease\n"
        "with lease():\n    print('held', flush=True); time.sleep(60)\n"
    )
    with PythonProcess(["-c", code], env=os.environ, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert in_orm(is_taken)
        holder.kill()
        holder.wait()

        def held_at_last() -> None:
            # The server of PostgreSQL needs a moment to see that the connection is gone.
            with lease(patience=10):
                pass

        in_orm(held_at_last)


def test_while_a_run_waits_or_goes_on_there_is_no_other(database: None) -> None:
    first = in_orm(queue)
    with pytest.raises(RunActive) as refused:
        in_orm(queue)
    assert refused.value.run.id == first.id


def test_a_run_whose_process_died_is_marked_so_and_the_next_one_begins(graph: Graph) -> None:
    dead = in_orm(queue)
    in_orm(RecursionRun.objects.filter(id=dead.id).update, status=RunStatus.RUNNING)
    assert graph.run().status == RunStatus.SUCCEEDED
    in_orm(dead.refresh_from_db)
    assert (dead.status, dead.active) == (RunStatus.DIED, None)
    assert "process ended" in dead.error


def test_a_run_that_never_started_is_not_waited_for_for_ever(graph: Graph) -> None:
    stuck = in_orm(queue)
    long_ago = timezone.now() - timedelta(hours=1)
    in_orm(RecursionRun.objects.filter(id=stuck.id).update, created_at=long_ago)
    assert graph.run().status == RunStatus.SUCCEEDED


def test_a_run_that_holds_the_lease_is_alive_however_old(database: None) -> None:
    old = in_orm(queue)
    in_orm(RecursionRun.objects.filter(id=old.id).update, created_at=timezone.now() - timedelta(days=1))

    def ask() -> None:
        with lease(), pytest.raises(RunActive):
            queue()

    in_orm(ask)


@in_orm_thread
def test_two_processes_do_not_do_one_run(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triples.runs.recording.LEASE_PATIENCE", 0.1)

    run = queue()
    with lease(), pytest.raises(LeaseTaken):
        perform(run, Recorder(run, graph.watcher))


def test_a_rule_that_is_not_there_is_named(graph: Graph) -> None:
    graph.rule({"symmetric": "near", "name": "near"})
    with pytest.raises(UnknownRules) as refused:
        in_orm(run_queue, options=RunOptions(rules=("near", "far")), requested_by="tests")
    assert refused.value.names == ["far"]
