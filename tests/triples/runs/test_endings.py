"""What is told of a run that did not end well: above all, whose inferred facts are shown."""

from math import nextafter

import pytest

from tests.conftest import ChangeSettings
from tests.support.database import in_orm
from tests.triples.runs.graphs import Graph
from tests.triples.store.inferred.derived import stored
from triples.models import HiddenGeneration, RecursionRun, RunStatus
from triples.runs import execution, recording
from triples.runs.outcomes import Outcome
from triples.runs.summaries import dry_sentence, run_sentence
from triples.store.backend import backend

pytestmark = pytest.mark.both


@pytest.fixture(autouse=True)
def _derived_from(graph: Graph) -> None:
    graph.rule({"transitive": "p", "name": "transitive"})
    graph.add(("a", "p", "b"), ("b", "p", "c"))


class Killed(BaseException):
    """In the place of a signal that nothing can catch."""


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("ends_before", ["its facts are in place", "its end is recorded"])
def test_of_a_run_that_died_it_is_said_whose_facts_are_shown(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, small: bool, ends_before: str
) -> None:
    first = graph.run()
    graph.add(("c", "p", "d"))

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(recording, "_end", kill)
        if ends_before == "its facts are in place":
            patch.setattr(backend().inferred, "apply" if small else "replace_all", kill)
        with pytest.raises(Killed):
            graph.run(force=not small)
    shown = len(in_orm(stored))
    last = graph.run()
    dead = in_orm(RecursionRun.objects.get, id=last.id - 1)
    assert dead.status == RunStatus.DIED
    if ends_before == "its facts are in place":
        assert (shown, dead.facts) == (first.facts, None)
        assert "those of the run before" in run_sentence(dead)
        assert last.status == RunStatus.SUCCEEDED
    else:
        assert shown == dead.facts != first.facts
        assert "those of this run" in run_sentence(dead)
        assert last.status == RunStatus.UNCHANGED


def test_of_a_run_that_fails_after_its_facts_are_in_place_it_is_said_that_they_are(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.run()
    graph.add(("c", "p", "d"))

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(execution, "prune", fail)
        with pytest.raises(OSError, match="No space"):
            graph.run()
    failed = in_orm(RecursionRun.objects.latest, "id")
    assert (failed.status, failed.facts) == (RunStatus.FAILED, len(in_orm(stored)))
    told = "OSError: [Errno 28] No space left on device; the inferred facts are those of this run."
    assert run_sentence(failed) == f"The run ended as failed: {told}"


@pytest.mark.once
def test_what_a_run_that_died_left_unsaid_of_what_is_hidden_the_next_one_says(graph: Graph) -> None:
    graph.run()
    in_orm(HiddenGeneration.objects.update, generation=1)
    assert graph.run().status == RunStatus.UNCHANGED
    state = in_orm(backend().read_state)
    assert state is not None
    assert in_orm(lambda: [row.generation for row in HiddenGeneration.objects.all()]) == [state.generation]


@pytest.mark.once
def test_a_limit_is_told_again_while_nothing_changes(graph: Graph, change_settings: ChangeSettings) -> None:
    graph.add(("c", "p", "d", 0.9), ("x", "p", "a", 0.9))
    change_settings(max_inferred=3)
    limited, unchanged = graph.run(), graph.run()
    assert (limited.status, unchanged.status) == (RunStatus.LIMITED, RunStatus.UNCHANGED)
    told = "A limit was met: all facts of weight 1.0 and above are there, none below."
    assert told in run_sentence(limited)
    assert run_sentence(unchanged) == f"Nothing has changed since the last run; 1 inferred fact. {told}"
    change_settings(max_inferred=1000)
    assert "limit" not in run_sentence(graph.run())


@pytest.mark.once
def test_a_limit_is_told_with_all_digits() -> None:
    told = "all facts of weight 0.9000000000000001 and above are there, none below."
    above = nextafter(0.9, 1)
    unchanged = RecursionRun(status=RunStatus.UNCHANGED, facts=0, complete_above=above)
    assert told in run_sentence(unchanged)
    assert told in dry_sentence(Outcome(RunStatus.LIMITED, complete_above=above))
