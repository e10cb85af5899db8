"""What a worker does not load, whatever it is asked to do."""

from pathlib import Path

import pytest

from tests.conftest import StartService

pytestmark = pytest.mark.both

# The engine and what it moves facts with would double the memory of every worker.
ENGINE = ("duckdb", "pyarrow", "adbc_driver")
FACTS = [{"subject": "Ada", "predicate": "parent_of", "object": name} for name in ("Bob", "Cleo")]


def test_no_worker_loads_the_engine(service: StartService) -> None:
    one = service()
    with one.client(timeout=60) as client:
        assert client.post("/triples/batch", json={"triples": FACTS}).is_success
        assert client.post("/rules", json={"inverse": ["parent_of", "child_of"]}).is_success
        assert client.post("/recurse", headers={"Prefer": "wait=60"}).json()["status"] == "succeeded"
        found = client.post("/query", json={"pattern": ["Bob", None, None]}).json()
        [fact] = found["results"]
        assert fact["inferred"]
        for path in (f"/triples/{fact['id']}/explain", "/triples", "/stats", "/rules", "/metrics", "/openapi.json"):
            assert client.get(path).is_success, path
    [worker] = one.workers
    mapped = {line.split()[-1] for line in Path(f"/proc/{worker}/maps").read_text().splitlines() if ".so" in line}
    assert any("orjson" in library for library in mapped)
    assert not [library for library in mapped if any(part in library for part in ENGINE)]
