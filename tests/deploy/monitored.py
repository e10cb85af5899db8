"""A service that has done a little of everything, and a real Prometheus that watches it."""

import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import trustme
import yaml

from tests.deploy.programs import DEPLOY
from tests.support.service import Service, free_port, manage
from tests.support.tools import require_tool

START_SECONDS = 30
RULES = [{"name": "near", "head": ["?x", "near", "?y"], "body": [["?y", "near", "?x"]]}]


def certificate(folder: Path) -> Path:
    """A certificate as it stands before the service."""
    file = folder / "certificate.pem"
    trustme.CA().issue_cert("api.example.com").cert_chain_pems[0].write_to_path(file)
    return file


def use(service: Service) -> None:
    """Make traffic of every kind that is measured, and do the upkeep."""
    with service.client() as client:
        for number in range(20):
            fact = {"subject": f"s{number}", "predicate": "near", "object": "here"}
            assert client.post("/triples/add", json=fact).is_success
            assert client.post("/query", json={"pattern": [f"s{number}", None, None]}).is_success
        batch = {"triples": [{"subject": "a", "predicate": "p", "object": "o"}]}
        assert client.post("/triples/batch", json=batch).is_success
        assert client.post("/query", json={"pattern": ["s1", "near", "here"]}).is_success
        limited = client.post("/keys", json={"name": "limited", "scopes": ["read"], "rate": "2/m"}).json()["key"]
        answers = [client.get("/stats", headers={"Authorization": f"Bearer {limited}"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        for _ in range(2):
            assert client.get("/stats", headers={"Authorization": "Bearer nobody's"}).status_code == 401
        assert client.get("/nowhere").status_code == 404
        assert client.get("/admin/login/").is_success
        # Counted in the cache, as nothing else of these is; from the second on by what is read there.
        for _ in range(2):
            assert client.get("/openapi.json").is_success
    rules = service.folder / "rules.json"
    rules.write_bytes(orjson.dumps(RULES))
    for command in (["rules", "load", str(rules)], ["recurse"]):
        result = manage(*command, variables=service.variables)
        assert result.returncode == 0, result.stderr
    state = service.folder / "skg.state"
    (state / "backup.json").write_text('{"finished_at": "2026-01-15T10:30:00+00:00", "bytes": 1000, "file": "a"}')


class Prometheus:
    """A server with the shipped configuration, but for where the service is and how often it is asked."""

    def __init__(self, folder: Path, target: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.config = folder / "prometheus.yml"
        config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(DEPLOY / "prometheus" / name) for name in config["rule_files"]]
        [job] = [job for job in config["scrape_configs"] if job["job_name"] == "skg-api"]
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [target]}]
        config["scrape_configs"] = [job]
        self.config.write_text(yaml.safe_dump(config))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = require_tool("prometheus")
        with (self.folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"--config.file={self.config}",
                    f"--storage.tsdb.path={self.folder / 'data'}",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert time.monotonic() < deadline, (self.folder / "prometheus.log").read_text()
            time.sleep(0.05)

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS)

    def get(self, path: str, **parameters: str) -> Any:
        """What the API has as `data`."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    def query(self, expression: str) -> list[Any]:
        found: list[Any] = self.get("query", query=expression)["result"]
        return found

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready").is_success
        except httpx.TransportError:
            return False
