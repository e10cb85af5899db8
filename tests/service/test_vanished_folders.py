"""The folder in which a service keeps its state goes away under it, or is reached by another path."""

import os
import shutil
from pathlib import Path

import httpx
import pytest

from tests.conftest import FreshDatabase, StartService
from tests.support.environment import service_variables
from tests.support.service import Service, manage

FACT = {"subject": "a", "predicate": "p", "object": "b"}
RULE = {"name": "path", "head": ["?x", "p", "?z"], "body": [["?x", "p", "?y"], ["?y", "p", "?z"]]}
ASKED = [
    ("GET", "/ready", None),
    ("POST", "/triples/add", FACT),
    ("POST", "/triples/batch", {"triples": [FACT | {"object": "c"}] * 2}),
    ("POST", "/triples/batch", {"triples": [FACT | {"object": str(number)} for number in range(90)]}),
    ("POST", "/query", {"pattern": ["a", None, None]}),
    ("GET", "/triples", None),
    ("GET", "/stats", None),
    ("POST", "/keys", {"name": "another", "scopes": ["read"]}),
    ("GET", "/keys", None),
    ("POST", "/rules", RULE),
    ("GET", "/rules", None),
    ("POST", "/recurse", {}),
    ("GET", "/recurse", None),
    ("GET", "/metrics", None),
    ("GET", "/admin/login/", None),
    ("GET", "/openapi.json", None),
    ("GET", "/health", None),
]


def ask_everything(one: Service) -> dict[str, int]:
    statuses = {}
    with one.client() as client:
        for number, (method, path, body) in enumerate(ASKED):
            statuses[f"{number} {method} {path}"] = client.request(method, path, json=body).status_code
        wrong = {"Authorization": "Bearer skg_prod_00000000_wrong"}
        statuses["wrong key"] = client.get("/stats", headers=wrong).status_code
        login = client.get("/admin/login/")
        form = {"username": "a", "password": "b", "csrfmiddlewaretoken": client.cookies.get("csrftoken", "")}
        statuses["login"] = client.post("/admin/login/", data=form, headers={"Referer": one.url}).status_code
        assert login.status_code in {200, 503}
    return statuses


@pytest.mark.parametrize("becomes", ["nothing", "a file"])
def test_without_its_state_the_service_refuses_with_a_reason_and_never_fails(
    service: StartService, becomes: str
) -> None:
    one = service(workers=1, database_url="")
    with one.client() as client:
        assert client.post("/triples/add", json=FACT | {"object": "first"}).status_code == 201
    state = one.folder / "skg.state"
    state.rename(one.folder / "elsewhere")
    if becomes == "a file":
        state.touch()
    statuses = ask_everything(one)
    assert state.exists() is (becomes == "a file")
    assert {status for status in statuses.values() if status >= 500} == {503}, statuses
    assert statuses["1 POST /triples/add"] == 503
    assert "Traceback" not in one.log_text
    assert [line for line in one.log_lines if line["event"] == "file_unavailable"]
    reason = httpx.get(f"{one.url}/ready", timeout=30).json()["reason"]
    assert "state" in reason

    state.unlink(missing_ok=True)
    (one.folder / "elsewhere").rename(state)
    with one.client() as client:
        assert client.post("/triples/add", json=FACT).status_code == 201
        assert client.get("/ready").status_code == 200


def test_a_restart_makes_the_state_anew(service: StartService) -> None:
    one = service(workers=1, database_url="")
    with one.client() as client:
        assert client.post("/triples/add", json=FACT).status_code == 201
    shutil.rmtree(one.folder / "skg.state")
    one.stop()
    one.start()
    with one.client() as client:
        assert client.get("/stats").json()["total_triples"] == 1
        assert client.post("/triples/add", json=FACT | {"object": "c"}).status_code == 201


def test_a_link_to_the_database_leads_to_the_same_state(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    if fresh_database(tmp_path):
        pytest.skip("SQLite's subject")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "link.db").symlink_to(tmp_path / "skg.db")
    (tmp_path / "folder").symlink_to(tmp_path)
    one = Service(tmp_path)
    one.start()
    try:
        for path in (elsewhere / "link.db", tmp_path / "folder" / "skg.db"):
            code = "from django.conf import settings; print(settings.ENV.db_path, settings.ENV.state_dir)"
            done = manage("shell", "-v0", "-c", code, variables=service_variables(tmp_path, db_path=path))
            assert done.stdout.split() == [str(tmp_path / "skg.db"), str(tmp_path / "skg.state")], done.stderr
        # One guard: files that are replaced under the service are refused by either path.
        (tmp_path / "skg.db").rename(tmp_path / "away")
        shutil.copy(tmp_path / "away", tmp_path / "skg.db")
        refused = manage("migrate", variables=service_variables(tmp_path, db_path=elsewhere / "link.db"))
        assert "replaced under a running service" in refused.stderr
        os.replace(tmp_path / "away", tmp_path / "skg.db")  # noqa: PTH105  # so that the service can end well
    finally:
        one.end()
    assert not list(elsewhere.glob("*.state"))
