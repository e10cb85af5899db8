"""The rules by promtool, and a service with two workers watched by a real Prometheus."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

import httpx
import pytest
import yaml

from skg_site.env import BASE_DIR
from tests.conftest import StartService
from tests.deploy.monitored import Prometheus, certificate, use
from tests.deploy.programs import DEPLOY
from tests.deploy.test_dashboard import METRIC, PANELS
from tests.support.service import Service
from tests.support.tools import require_tool

RULES = DEPLOY / "prometheus/rules.yml"
ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"] if "alert" in rule]
TESTS = ("tests/deploy/alerts.yml", "tests/deploy/alerts_of_days.yml")
# Long enough for several scrapes and samples on a busy machine.
PATIENCE_SECONDS = 90


def promtool(*arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [require_tool("promtool"), *arguments],
        cwd=BASE_DIR,
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_configuration_and_the_rules_are_well_formed() -> None:
    for result in (
        promtool("check", "config", DEPLOY / "prometheus/prometheus.yml"),
        promtool("check", "rules", RULES),
    ):
        assert result.returncode == 0, result.stdout + result.stderr


def test_alerts_fire_when_they_should_and_not_when_they_should_not() -> None:
    # Its queries have a time limit of their own, which a busy machine runs over. A rule that is wrong stays wrong.
    results = (promtool("test", "rules", *TESTS) for _ in range(3))
    failures = list(takewhile(lambda result: result.returncode != 0, results))
    assert len(failures) < 3, failures[-1].stdout + failures[-1].stderr


def test_every_alert_is_tested() -> None:
    tests = [one for file in TESTS for one in yaml.safe_load((BASE_DIR / file).read_text())["tests"]]
    fired = {test["alertname"] for one in tests for test in one["alert_rule_test"] if test.get("exp_alerts")}
    assert fired == {alert["alert"] for alert in ALERTS}


@pytest.fixture
def watched(service: StartService, tmp_path: Path) -> Iterator[tuple[Service, Prometheus]]:
    one = service(workers=2, rate_limit="0", certificates=[str(certificate(tmp_path))])
    prometheus = Prometheus(tmp_path, f"127.0.0.1:{one.port}")
    try:
        prometheus.start()
        use(one)
        yield one, prometheus
    finally:
        prometheus.end()


def eventually(check: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def test_a_real_prometheus_finds_all_that_rules_and_dashboard_ask_for(watched: tuple[Service, Prometheus]) -> None:
    one, prometheus = watched
    assert eventually(lambda: [target["health"] for target in prometheus.get("targets")["activeTargets"]] == ["up"])
    waiting = dict(PANELS)

    def all_show() -> bool:
        with one.client() as client:
            client.post("/query", json={"pattern": ["s1", None, None]})
        for panel in [panel for panel, queries in waiting.items() if all(map(prometheus.query, queries))]:
            del waiting[panel]
        return not waiting

    assert eventually(all_show), waiting
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] == "err"] == []
    names = set(prometheus.get("label/__name__/values"))
    assert {name for alert in ALERTS for name in METRIC.findall(alert["expr"])} <= names
    # What no rule or panel may rest on by mistake: that both workers' counts are in one scrape.
    [counted] = prometheus.query('sum(skg_triples_added_total{source="api"})')
    assert float(counted["value"][1]) == 20
    [recursion] = prometheus.query('skg_recursion_runs{outcome="succeeded"}')
    assert float(recursion["value"][1]) == 1


def test_the_page_is_as_prometheus_wants_it(service: StartService) -> None:
    one = service(workers=2)
    use(one)
    page = httpx.get(f"{one.url}/metrics").text
    result = promtool("check", "metrics", text=page)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert re.search(r"^skg_workers 2\.0$", page, re.MULTILINE)
