"""A copy that is killed leaves a service that stores writes, and the same command goes on with it."""

import pytest

from tests.conftest import StartService
from tests.service.load import stored_facts
from tests.skg_site.ops.backups.databases import as_json
from tests.skg_site.ops.moving.conftest import NewTarget
from tests.skg_site.ops.moving.settings import settings_for
from tests.support.service import Service
from tests.triples.commands.runs import Shell

# The last of these is said when all is copied, just before the source is told that its graph has moved.
STAGES = ("Preparing", "Copying …", "Building", "Catching", "Copying the inferred", "Verifying", "Stopping", "Moving")
RULE = {"name": "in", "head": ["?x", "in", "?z"], "body": [["?x", "in", "?y"], ["?y", "in", "?z"]]}


def _kill_at(shell: Shell, url: str, stage: str) -> bool:
    """Start a copy and kill it when it says that it has reached this stage. False if it ended without."""
    process = shell.start("copy_to", url, "--yes", set_up=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if line.decode().startswith(stage):
                process.kill()
                return True
        return False
    finally:
        process.communicate()


def _write(one: Service, number: int) -> int:
    fact = {"subject": f"written-{number}", "predicate": "counts", "object": "0"}
    with one.client() as client:
        return client.post("/triples/add", json=fact).status_code


@pytest.mark.both
@pytest.mark.parametrize("stages", [("Moving",), pytest.param(STAGES, marks=pytest.mark.long)], ids=["last", "all"])
def test_writes_go_on_after_a_copy_was_killed(
    service: StartService, new_target: NewTarget, stages: tuple[str, ...]
) -> None:
    one, url = service(workers=2), new_target()
    shell = Shell(one.variables)
    facts = [{"subject": f"s{number}", "predicate": "in", "object": f"s{number + 1}"} for number in range(50)]
    with one.client() as client:
        client.post("/triples/batch", json={"triples": facts}).raise_for_status()
        client.post("/rules", json=RULE).raise_for_status()
        client.post("/recurse", headers={"Prefer": "wait=60"}).raise_for_status()
    written = set()
    for number, stage in enumerate(stages):
        # It may say so no more, if a copy before it has done that already.
        _kill_at(shell, url, stage)
        status = _write(one, number)
        # Only a copy that was killed at its very end may have moved the graph.
        assert status == 201 or (stage == "Moving" and status == 503)
        if status == 201:
            written.add((f"written-{number}", "counts", "0"))
    moved = as_json(shell, "copy_to", url, "--yes")
    assert moved["inferred_facts"] > 1_000
    assert _write(one, -1) == 503
    # To say it again changes nothing.
    assert as_json(shell, "copy_to", url, "--yes")["target"] == moved["target"]
    other = service(**settings_for(url))
    found = set(stored_facts(other))
    assert written <= found
    assert len(found) == len(facts) + len(written) + moved["inferred_facts"]


def test_a_service_on_an_unfinished_copy_stores_nothing(service: StartService, empty_database: NewTarget) -> None:
    one, url = service(), empty_database()
    assert _kill_at(Shell(one.variables), url, "Verifying")
    other = service(database_url=url)
    with other.client() as client:
        refusal = client.post("/triples/add", json={"subject": "a", "predicate": "b", "object": "c"})
        assert refusal.status_code == 503
        assert "unfinished copy" in refusal.json()["detail"]
        assert client.get("/triples").is_success
    other.end()
    assert as_json(Shell(one.variables), "copy_to", url, "--yes")["moved"]
