"""A disk on which nothing more can be written: what is stored is served, what cannot be is refused, and it heals."""

import os
import resource
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from skg_site.host.metrics_folder import SHARED_MEMORY, VARIABLE, prepare_metrics_folder
from tests.conftest import StartService
from tests.service.load import stored_facts
from tests.support.environment import process_environment
from tests.support.service import Service

FACTS = 100
PROBLEM = "application/problem+json"


def batch(number: int) -> dict[str, object]:
    facts = [{"subject": f"s{number}", "predicate": "p", "object": f"o{place}"} for place in range(FACTS)]
    return {"triples": facts}


def limit_files(one: Service, size: int) -> None:
    """Let no file of the workers grow beyond this: as on a full disk, whatever they write fails, and only that."""
    for worker in one.workers:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_refuses_writes_keeps_answering_and_heals(service: StartService, disk_folder: Path) -> None:
    one = service(disk_folder, workers=1)
    stored: set[int] = set()
    with one.client() as client:
        assert client.post("/triples/batch", json=batch(0)).status_code == 202
        stored.add(0)
        limit_files(one, Path(f"{one.variables['SKG_DB_PATH']}-wal").stat().st_size + (1 << 20))
        refused = None
        for number in range(1, 1000):
            answer = client.post("/triples/batch", json=batch(number))
            if answer.status_code != 202:
                refused = answer
                break
            stored.add(number)
        assert refused is not None
        assert (refused.status_code, refused.headers["Content-Type"]) == (503, PROBLEM)
        assert refused.headers["Retry-After"]
        assert "disk" not in refused.text, "what the database says is for the log"
        # What a batch has no room for, a few single facts may still have.
        singles, status = 0, 0
        while singles < 1000:
            fact = {"subject": "a", "predicate": "p", "object": f"x{singles}"}
            status = client.post("/triples/add", json=fact).status_code
            if status != 201:
                break
            singles += 1
        assert status == 503
        assert client.post("/query", json={"pattern": ["s0", None, None]}).json()["total"] == FACTS
        assert client.get("/health").status_code == 200

        limit_files(one, resource.RLIM_INFINITY)
        assert client.post("/triples/batch", json=batch(1000)).status_code == 202
        stored.add(1000)
    assert one.stop(signal.SIGTERM) == 0
    one.start()
    expected = {(f"s{number}", f"o{place}") for number in stored for place in range(FACTS)}
    expected |= {("a", f"x{number}") for number in range(singles)}
    assert {(subject, object_) for subject, _, object_ in stored_facts(one)} == expected


def test_nothing_that_a_full_disk_would_end_the_service_for_lies_on_it(
    service: StartService, disk_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write into a page of a mapped file for which the disk has no room is the end of the process (SIGBUS)."""
    monkeypatch.setattr("tests.support.service.process_environment", _with_metrics_where_the_service_puts_them)
    one = service(disk_folder, workers=1)
    with one.client() as client:
        assert client.post("/triples/batch", json=batch(0)).status_code == 202
        assert "skg_requests_total" in client.get("/metrics").text
    mapped = {
        Path(line.split(maxsplit=5)[5])
        for line in Path(f"/proc/{one.workers[0]}/maps").read_text().splitlines()
        if line.split()[1][1:] == "w-s" and "/" in line
    }
    counted = {path for path in mapped if path.name.startswith(("counter_", "histogram_", "gauge_"))}
    assert {path.parent.parent for path in counted} == {SHARED_MEMORY}
    # All of them have their room on the disk already.
    on_disk = [path.stat() for path in mapped if path.is_relative_to(one.folder)]
    assert on_disk
    assert all(file.st_blocks * 512 >= file.st_size for file in on_disk)
    one.stop()
    assert not any(path.parent.exists() for path in counted)


def test_a_log_that_cannot_be_written_costs_no_answer(service: StartService) -> None:
    one = service(log_file=Path("/dev/full"))
    with one.client() as client:
        assert client.post("/triples/add", json={"subject": "a", "predicate": "p", "object": "b"}).status_code == 201
        assert client.get("/stats").json()["total_triples"] == 1
        assert client.get("/stats", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert one.stop() == 0


def test_a_folder_that_somebody_else_has_made_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr("skg_site.host.metrics_folder.SHARED_MEMORY", memory)
    monkeypatch.delenv(VARIABLE)
    prepare_metrics_folder(tmp_path)
    first = Path(os.environ[VARIABLE])
    assert (first.parent, first.stat().st_mode & 0o777) == (memory, 0o700)
    first.rmdir()
    first.symlink_to(tmp_path)
    monkeypatch.delenv(VARIABLE)
    prepare_metrics_folder(tmp_path)
    assert os.environ[VARIABLE] == str(tmp_path / "metrics")


def _with_metrics_where_the_service_puts_them(variables: Mapping[str, str], **options: bool) -> dict[str, str]:
    environment = process_environment(variables, **options)
    del environment[VARIABLE]
    return environment


def test_on_a_full_disk_keys_are_judged_and_counted_as_ever(service: StartService) -> None:
    one = service(workers=1, rate_limit="50/h")
    limit_files(one, 0)
    with one.client() as client:
        assert [client.get("/stats").status_code for _ in range(51)] == [200] * 50 + [429]
        wrong = {"Authorization": "Bearer wrong"}
        assert [client.get("/stats", headers=wrong).status_code for _ in range(25)] == [401] * 25
        assert {client.get("/stats", headers=wrong).status_code for _ in range(25)} == {401, 429}
        assert client.get("/keys/me").status_code == 200
