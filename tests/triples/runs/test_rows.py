"""What a run leaves in its row is bounded, and so is the number of rows."""

from typing import Any

import httpx
import pytest
from django.test import Client

from tests.support.database import in_orm
from tests.triples.runs.graphs import Graph
from triples.models import RecursionRun, RunStatus
from triples.runs import retention
from triples.runs.options import MAX_NAMES, MAX_NAMES_LENGTH, RunOptions
from triples.runs.recording import MAX_ERROR_LENGTH
from triples.runs.responses import run_content
from triples.runs.rounds import MAX_ENTRIES, add_round, count_rounds, round_labels
from triples.services.runs import run_queue
from triples.store.backend import backend

TOO_LONG = ["x" * 500] * (MAX_NAMES_LENGTH // 500) + ["y"]


@pytest.mark.parametrize("number", [1, MAX_ENTRIES, MAX_ENTRIES + 1, 2_500])
def test_of_very_many_rounds_sums_are_kept(number: int) -> None:
    entries: list[dict[str, Any]] = []
    for made in range(1, number + 1):
        add_round(entries, new=made, improved=1, total=made * 10, seconds=0.25)
        assert count_rounds(entries) == made

    assert len(entries) <= MAX_ENTRIES
    assert sum(entry["new"] for entry in entries) == number * (number + 1) // 2
    assert sum(entry["improved"] for entry in entries) == number
    assert sum(entry["seconds"] for entry in entries) == pytest.approx(number / 4)
    assert entries[-1]["total"] == number * 10


def test_a_label_says_which_rounds_an_entry_sums_up() -> None:
    assert round_labels([{"rounds": 2}, {"rounds": 4}, {}, {}]) == ["1 to 2", "3 to 6", "7", "8"]


def test_a_run_of_many_rounds_shows_how_many(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triples.runs.rounds.MAX_ENTRIES", 4)
    graph.rule({"chain": ["reached", "next"], "gives": "reached", "name": "reach"})
    graph.add(("a", "reached", "n0"), *((f"n{number}", "next", f"n{number + 1}") for number in range(10)))
    content = run_content(graph.run())
    assert content["round"] == 10
    assert len(content["rounds"]) <= 4
    assert sum(made.get("rounds", 1) for made in content["rounds"]) == 10


@pytest.mark.both
def test_the_newest_runs_are_kept(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "KEPT_RUNS", 3)
    monkeypatch.setattr(retention, "RUNS_AT_ONCE", 2)
    runs = [graph.run().id for _ in range(6)]
    assert in_orm(lambda: sorted(RecursionRun.objects.values_list("id", flat=True))) == runs[-3:]


@pytest.mark.both
def test_an_active_run_is_kept_however_many_came_after_it(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "KEPT_RUNS", 1)
    first = graph.run().id
    in_orm(RecursionRun.objects.filter(id=first).update, active=True, status=RunStatus.RUNNING)
    in_orm(lambda: [RecursionRun.objects.create(active=None, created_at=0) for _ in range(3)])
    in_orm(retention.prune_runs)
    assert in_orm(lambda: RecursionRun.objects.filter(id=first).exists())
    assert in_orm(RecursionRun.objects.count) == 2


@pytest.mark.both
def test_an_error_is_cut(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("x" * 1_000_000)

    graph.rule({"symmetric": "near"})
    monkeypatch.setattr(backend().inferred, "replace_all", fail)
    with pytest.raises(OSError, match="xxx"):
        graph.run()
    assert len(in_orm(RecursionRun.objects.latest, "id").error) == MAX_ERROR_LENGTH


@pytest.mark.parametrize("member", ["entity_types", "rules"])
async def test_names_that_are_too_long_together_are_refused(api: httpx.AsyncClient, member: str) -> None:
    names = TOO_LONG if member == "entity_types" else ["x" * 100] * (MAX_NAMES_LENGTH // 100) + ["y"]
    answer = await api.post("/recurse", json={member: names})
    [fault] = answer.json()["errors"]
    assert (answer.status_code, fault["loc"]) == (422, [member])
    assert "must have at most 10,000 characters together, not 10,001" in fault["msg"]
    many = await api.post("/recurse", json={member: ["x"] * (MAX_NAMES + 1)})
    assert (many.status_code, many.json()["errors"][0]["loc"]) == (422, [member])
    assert in_orm(RecursionRun.objects.count) == 0


def test_the_admin_says_so_at_the_field(database: None) -> None:
    from django.contrib.auth.models import User

    client = Client()
    client.force_login(User.objects.create_superuser("somebody"))
    sent = {
        "min_weight": "0",
        "entity_types": "\n".join(f"{number}{text}"[:500] for number, text in enumerate(TOO_LONG)),
    }
    errors = client.post("/admin/triples/recursionrun/run/", sent).context["form"].errors
    assert errors == {"entity_types": ["The types must have at most 10,000 characters together, not 10,003."]}


def test_the_log_has_no_texts_of_a_run(graph: Graph, log: list[Any]) -> None:
    graph.rule({"symmetric": "near", "name": "near"})
    graph.run(entity_types=("Person", "Place"), rules=("near",))
    [line] = [line for line in log if line["event"] == "run_started"]
    assert (line["entity_types"], line["rules"], line["force"]) == (2, 1, False)


def test_options_come_back_from_a_row(database: None) -> None:
    options = RunOptions(3, 0.25, ("person",), ("near",), True)
    run = in_orm(run_queue, options=RunOptions(3, 0.25, ("person",), (), True), requested_by="tests")
    assert RunOptions.of(run.options | {"rules": ["near"]}) == options
