"""The tools of the other tests work."""

import socket

import httpx
import pytest
from structlog.typing import EventDict

from apikeys.models import ApiKey
from tests.conftest import IssueKey, StartService
from tests.support.database import in_orm
from tests.support.environment import process_environment
from tests.support.network import OutsideLoopback
from tests.support.processes import run_python
from tests.support.tools import require_tool

pytestmark = pytest.mark.both


async def test_a_stored_fact_is_answered(api: httpx.AsyncClient) -> None:
    fact = {"subject": "Einstein", "predicate": "discovered", "object": "Relativity", "weight": 0.95}
    added = await api.post("/triples/add", json=fact)
    assert added.status_code == 201, added.text
    found = await api.post("/query", json={"pattern": ["Einstein", None, None]})
    assert found.json()["total"] == 1


async def test_nothing_of_another_test_is_left(api: httpx.AsyncClient) -> None:
    assert (await api.get("/stats")).json()["total_triples"] == 0
    assert in_orm(ApiKey.objects.count) == 1


@pytest.mark.once
async def test_a_client_without_a_key_is_refused_and_the_log_says_why(
    anonymous: httpx.AsyncClient, log: list[EventDict]
) -> None:
    assert (await anonymous.get("/stats")).status_code == 401
    assert [line["status"] for line in log if line["event"] == "request"] == [401]


@pytest.mark.once
def test_a_key_is_made_with_the_scopes_asked_for(issue_key: IssueKey) -> None:
    issue_key(scopes=["read"])
    assert in_orm(lambda: ApiKey.objects.get().scopes) == "read"


@pytest.mark.once
def test_no_other_machine_can_be_reached() -> None:
    with pytest.raises(OutsideLoopback), socket.socket() as attempt:
        attempt.connect(("192.0.2.1", 80))


@pytest.mark.once
def test_a_missing_tool_skips_for_a_developer_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "false")
    with pytest.raises(pytest.skip.Exception):
        require_tool("no-such-tool")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception):
        require_tool("no-such-tool")


@pytest.mark.once
@pytest.mark.process
def test_a_started_process_finds_no_library_that_production_has_not() -> None:
    program = "import pyarrow as pa, sys; pa.array([1]); print([name for name, one in sys.modules.items() if one])"
    loaded = run_python(["-c", program], env=process_environment({})).stdout.decode()
    assert "'pyarrow'" in loaded
    # It loads them wherever it finds them: half a second, 50 MiB and threads.
    assert not [name for name in ("numpy", "pandas") if f"'{name}'" in loaded]


def test_a_service_serves_from_its_own_processes(service: StartService) -> None:
    one = service(workers=2)
    with one.client() as client:
        assert client.get("/stats").json()["total_triples"] == 0
    assert len(one.workers) == 2
    assert one.stop() == 0
