"""Runs over HTTP, each in a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone
from structlog.typing import EventDict

from tests.conftest import IssueKey
from tests.support.database import in_orm
from triples.models import RecursionRun
from triples.runs.lease import lease
from triples.runs.responses import public_id

pytestmark = pytest.mark.both


@contextmanager
def held_lease() -> Iterator[None]:
    """Hold the lease, as if the process of a run were at work."""
    holder = lease()
    in_orm(holder.__enter__)
    try:
        yield
    finally:
        in_orm(holder.__exit__, None, None, None)


async def test_a_run_is_started_in_a_process_of_its_own(api: httpx.AsyncClient, no_process: list[list[str]]) -> None:
    answer = await api.post(
        "/recurse", json={"force": False, "max_depth": 5, "entity_types": ["Person", "Organization"]}
    )
    assert answer.status_code == 202
    content = answer.json()
    assert content["status"] == "queued"
    assert content["options"] == {
        "max_depth": 5,
        "min_weight": 0.0,
        "entity_types": ["Person", "Organization"],
        "rules": [],
        "force": False,
    }
    assert (await api.get(content["status_url"])).json() == content
    [command] = no_process
    assert command[-2] == "--run"


@pytest.mark.once
async def test_an_empty_body_asks_for_everything(api: httpx.AsyncClient, no_process: list[list[str]]) -> None:
    assert (await api.post("/recurse")).status_code == 202


async def test_while_one_run_is_active_another_is_refused(api: httpx.AsyncClient, no_process: list[list[str]]) -> None:
    first = (await api.post("/recurse", json={})).json()
    refused = await api.post("/recurse", json={})
    assert refused.status_code == 409
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["run"]["run_id"] == first["run_id"]
    assert len(no_process) == 1


@pytest.mark.once
@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"max_depth": 0}, ["max_depth"]),
        ({"max_depth": "5"}, ["max_depth"]),
        ({"min_weight": 1.5}, ["min_weight"]),
        ({"entity_types": "Person"}, ["entity_types"]),
        ({"entity_types": [""]}, ["entity_types", 0]),
        ({"entity_types": ["Person", " \u00a0"]}, ["entity_types", 1]),
        ({"rules": ["no such rule"]}, ["rules", 0]),
        ({"rules": [" "]}, ["rules", 0]),
        ({"rules": ["e\u0301" * 101]}, ["rules", 0]),
        ({"depth": 5}, ["depth"]),
    ],
)
async def test_what_makes_no_sense_is_refused(
    api: httpx.AsyncClient, no_process: list[list[str]], body: dict[str, Any], loc: list[str | int]
) -> None:
    answer = await api.post("/recurse", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == loc
    assert not no_process


@pytest.mark.once
@pytest.mark.parametrize("asked", ["p\u00e8re", "pe\u0300re", " p\u00e8re", "\u00a0pe\u0300re\n"])
async def test_names_are_looked_up_as_they_are_kept(
    api: httpx.AsyncClient, no_process: list[list[str]], asked: str
) -> None:
    await api.post("/rules", json={"name": " pe\u0300re", "head": ["?x", "a", "?y"], "body": [["?x", "b", "?y"]]})
    answer = await api.post("/recurse", json={"rules": [asked, "p\u00e8re"], "entity_types": [asked]})
    assert answer.status_code == 202
    options = answer.json()["options"]
    assert (options["rules"], options["entity_types"]) == (["p\u00e8re"], ["p\u00e8re"])


async def test_it_needs_the_scope_recurse(anonymous: httpx.AsyncClient, issue_key: IssueKey) -> None:
    headers = {"Authorization": f"Bearer {issue_key(scopes=['read', 'write'])}"}
    assert (await anonymous.post("/recurse", headers=headers)).status_code == 403


@pytest.mark.once
@pytest.mark.parametrize("wait", ["wait=1", "respond-async, wait=1", 'wait="1"; foo'])
async def test_a_client_may_wait_for_the_end(
    api: httpx.AsyncClient, no_process: list[list[str]], monkeypatch: pytest.MonkeyPatch, wait: str
) -> None:
    from triples.runs import views

    reload_run = views._reload

    def ended(run_id: int) -> RecursionRun:
        RecursionRun.objects.filter(id=run_id).update(
            active=None, status="succeeded", facts=3, finished_at=timezone.now(), started_at=timezone.now()
        )
        found: RecursionRun = reload_run(run_id)
        return found

    monkeypatch.setattr(views, "_reload", ended)
    answer = await api.post("/recurse", json={}, headers={"Prefer": wait})
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert answer.headers["Preference-Applied"] == "wait=1"


async def test_who_has_waited_long_enough_is_told_how_it_goes(
    api: httpx.AsyncClient, no_process: list[list[str]]
) -> None:
    answer = await api.post("/recurse", json={}, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")


@pytest.mark.once
@pytest.mark.parametrize("digits", [5, 400, 5000])
async def test_a_wait_is_capped_however_long_it_is(
    api: httpx.AsyncClient, no_process: list[list[str]], monkeypatch: pytest.MonkeyPatch, digits: int
) -> None:
    from triples.runs import views

    monkeypatch.setattr(views, "MOST_SECONDS_TO_WAIT", 1)
    answer = await api.post("/recurse", headers=[("Prefer", "respond-async"), ("Prefer", f"wait={'9' * digits}")])
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=1")


@pytest.mark.once
async def test_a_preference_that_makes_no_sense_is_ignored(api: httpx.AsyncClient, no_process: list[list[str]]) -> None:
    answer = await api.post("/recurse", json={}, headers={"Prefer": "wait=soon, return=minimal"})
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


@pytest.mark.once
async def test_an_id_that_no_run_has_is_not_found(api: httpx.AsyncClient, no_process: list[list[str]]) -> None:
    run = in_orm(RecursionRun.objects.create, requested_by="tests", created_at=timezone.now())
    run.created_at += timedelta(seconds=1)
    for run_id in (public_id(run), "018d0c8e-9a40-8000-8000-000000000001"):
        assert (await api.get(f"/recurse/{run_id}")).status_code == 404


@pytest.mark.once
async def test_an_id_in_capitals_is_the_same_id(api: httpx.AsyncClient, no_process: list[list[str]]) -> None:
    run = (await api.post("/recurse")).json()
    assert run["run_id"].upper() != run["run_id"]
    assert (await api.get(f"/recurse/{run['run_id'].upper()}")).json() == run


async def test_a_run_that_waits_is_cancelled_at_once(api: httpx.AsyncClient, no_process: list[list[str]]) -> None:
    run = (await api.post("/recurse")).json()
    assert run["cancel_requested_by"] is None
    answer = await api.post(f"{run['status_url']}/cancel")
    content = answer.json()
    assert (answer.status_code, content["run_id"], content["status"]) == (200, run["run_id"], "cancelled")
    assert content["cancel_requested_by"] == content["requested_by"]
    assert content["error"] is None
    assert (await api.get(run["status_url"])).json() == content
    assert (await api.post("/recurse")).status_code == 202


async def test_a_run_at_work_is_told_to_end_and_may_be_told_again(
    api: httpx.AsyncClient, no_process: list[list[str]], log: list[EventDict]
) -> None:
    run = (await api.post("/recurse")).json()
    in_orm(RecursionRun.objects.update, status="running")
    with held_lease():
        first = await api.post(f"{run['status_url']}/cancel")
        assert (first.status_code, first.json()["status"]) == (202, "running")
        assert (await api.post(f"{run['status_url']}/cancel")).json() == first.json()
    [line] = [line for line in log if line["event"] == "run_cancelled"]
    assert line["requested_by"] == first.json()["cancel_requested_by"]


@pytest.mark.parametrize("status", ["succeeded", "cancelled", "failed"])
async def test_a_run_that_has_ended_is_shown_instead(api: httpx.AsyncClient, status: str) -> None:
    run = in_orm(RecursionRun.objects.create, active=None, status=status, created_at=timezone.now())
    refused = await api.post(f"/recurse/{public_id(run)}/cancel")
    assert refused.status_code == 409
    assert (refused.json()["run"]["run_id"], refused.json()["run"]["status"]) == (public_id(run), status)
