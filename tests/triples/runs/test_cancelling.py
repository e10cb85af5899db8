"""A run that is cancelled ends soon, wherever it is, and leaves the inferred facts as they were."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from structlog.typing import EventDict

from tests.support.database import in_orm
from tests.triples.runs.graphs import Graph, Silence
from tests.triples.store.inferred.derived import stored
from triples.models import RecursionRun, RunStatus
from triples.recursion.incremental import update
from triples.runs import execution, stopping
from triples.runs.options import RunOptions
from triples.runs.recording import Recorder, perform
from triples.runs.summaries import run_sentence
from triples.services.runs import RunEnded, run_cancel, run_queue
from triples.store.backend import backend
from triples.store.inferred.journal import prune

pytestmark = pytest.mark.both

CHAIN = [(f"n{number}", "p", f"n{number + 1}") for number in range(6)]


@pytest.fixture(autouse=True)
def _soon_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "POLL_SECONDS", 0.01)


@pytest.fixture
def chain(graph: Graph) -> Graph:
    """A graph with inferred facts, of which a run would now make more."""
    graph.rule({"transitive": "p", "name": "transitive"})
    graph.add(*CHAIN[:-1])
    graph.run()
    graph.add(CHAIN[-1])
    return graph


def cancel_active() -> None:
    """Ask the active run to end, and return when its process knows."""
    active = RecursionRun.objects.get(active=True)
    assert run_cancel(run_id=active.id, requested_by="user ann").status == RunStatus.RUNNING
    for thread in threading.enumerate():
        if thread.name == "cancellation":
            thread.join()


class Canceller(Silence):
    """A watcher who cancels the run at some moment."""

    def __init__(self, moment: str) -> None:
        super().__init__()
        self.moment = moment

    def stage(self, name: str, done: int, total: int | None) -> None:
        self._cancel_at(name)

    def round(self, number: int, new: int, improved: int, total: int, seconds: float) -> None:
        self._cancel_at(f"round {number}")

    def _cancel_at(self, moment: str) -> None:
        if moment == self.moment:
            self.moment = ""
            cancel_active()


@pytest.mark.parametrize("moment", ["reading", "round 1", "round 2", "writing"])
def test_whatever_it_is_doing_it_ends_and_the_facts_stay(chain: Graph, log: list[EventDict], moment: str) -> None:
    before = in_orm(stored)
    cancelled = chain.run(Canceller(moment), force=True)
    assert (cancelled.status, cancelled.active, cancelled.facts) == (RunStatus.CANCELLED, None, None)
    assert cancelled.finished_at is not None
    assert run_sentence(cancelled) == (
        "The run was cancelled by user ann; the inferred facts are those of the run before."
    )
    assert in_orm(stored) == before
    assert [(line["event"], line["log_level"]) for line in log if line.get("status") == "cancelled"] == [
        ("run_ended", "info")
    ]
    if not settings.ENV.database_url:
        assert len(list((settings.ENV.state_dir / "inferred").glob("*.db"))) == 1
    again = chain.run()
    assert (again.status, len(in_orm(stored))) == (RunStatus.SUCCEEDED, 15)


def test_an_incremental_run_can_be_cancelled(chain: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    before = in_orm(stored)

    def cancelled_first(*arguments: Any, **options: Any) -> Any:
        cancel_active()
        return update(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(execution, "update", cancelled_first)
        assert chain.run().status == RunStatus.CANCELLED
    assert in_orm(stored) == before
    assert (chain.run().mode, len(in_orm(stored))) == ("incremental", 15)


@pytest.mark.once
def test_a_round_that_would_take_minutes_is_interrupted(graph: Graph) -> None:
    graph.rule(
        {"name": "all", "head": ["?a", "q", "?d"], "body": [["?a", "p", "?b"], ["?c", "p", "?d"], ["?e", "p", "?f"]]}
    )
    graph.add(*((f"a{number}", "p", f"b{number}") for number in range(1500)))

    class AtWork(Silence):
        def stage(self, name: str, done: int, total: int | None) -> None:
            if name == "reading" and done == total:
                threading.Thread(target=in_other_thread, args=(cancel_active,)).start()

    assert graph.run(AtWork()).status == RunStatus.CANCELLED
    assert in_orm(backend().read_state) is None


def in_other_thread(function: Callable[[], None]) -> None:
    from django.db import connection

    try:
        function()
    finally:
        connection.close()


def test_what_comes_too_late_changes_nothing(chain: Graph, monkeypatch: pytest.MonkeyPatch) -> None:

    def cancelled_first(mark: int) -> None:
        cancel_active()
        prune(mark)

    monkeypatch.setattr(execution, "prune", cancelled_first)
    run = chain.run()
    assert (run.status, run.cancel_requested_by) == (RunStatus.SUCCEEDED, "user ann")
    assert len(in_orm(stored)) == 15


def test_one_that_has_not_begun_ends_at_once_and_never_begins(chain: Graph) -> None:
    def cancelled_before() -> RecursionRun:
        run = run_queue(options=RunOptions(), requested_by="tests")
        assert run_cancel(run_id=run.id, requested_by="user ann").status == RunStatus.CANCELLED
        # Its process has found it queued before that.
        return perform(run, Recorder(run))

    run = in_orm(cancelled_before)
    assert (run.status, run.active, run.started_at) == (RunStatus.CANCELLED, None, None)
    assert chain.run().status == RunStatus.SUCCEEDED


@pytest.mark.once
def test_to_cancel_twice_is_to_cancel_once_until_it_has_ended(chain: Graph) -> None:
    class Twice(Silence):
        def round(self, number: int, *_: Any) -> None:
            active = RecursionRun.objects.get(active=True)
            first = run_cancel(run_id=active.id, requested_by="user ann")
            second = run_cancel(run_id=active.id, requested_by="user bob")
            assert first.cancel_requested_by == second.cancel_requested_by == "user ann"
            assert run_sentence(second) == "The run is about to end: user ann has cancelled it."
            cancel_active()

    run = chain.run(Twice(), force=True)
    with pytest.raises(RunEnded):
        in_orm(run_cancel, run_id=run.id, requested_by="user ann")


@pytest.mark.once
def test_a_dead_run_is_found_dead_rather_than_cancelled(database: None) -> None:
    def of_the_dead() -> RecursionRun:
        run = run_queue(options=RunOptions(), requested_by="tests")
        RecursionRun.objects.update(status=RunStatus.RUNNING)
        with pytest.raises(RunEnded) as ended:
            run_cancel(run_id=run.id, requested_by="user ann")
        return ended.value.run

    assert in_orm(of_the_dead).status == RunStatus.DIED
