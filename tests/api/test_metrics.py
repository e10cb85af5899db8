"""GET /metrics: the deployment guide's names and labels, and no label value that a client can choose."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

import skg_site.server.gauge_sampling
from tests.conftest import ChangeSettings

# nginx leads nobody to /metrics.
pytestmark = [pytest.mark.both, pytest.mark.in_process]

GUIDE = {
    "skg_requests_total": {"method", "endpoint", "http_status"},
    "skg_request_duration_seconds_bucket": {"method", "endpoint", "le"},
    "skg_request_duration_seconds_count": {"method", "endpoint"},
    "skg_request_duration_seconds_sum": {"method", "endpoint"},
    "skg_triples_added_total": {"source"},
    "skg_queries_executed_total": {"pattern_type"},
    "skg_query_results_bucket": {"le"},
    "skg_query_results_count": set(),
    "skg_query_results_sum": set(),
    "skg_active_connections": set(),
    "skg_db_size_bytes": set(),
}

Samples = Counter[tuple[str, frozenset[tuple[str, str]]]]

FACT = {"subject": "a", "predicate": "p", "object": "o"}


async def samples(client: httpx.AsyncClient) -> Samples:
    """Every sample's value by its name and labels."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    return Counter(
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }
    )


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def label_values(found: Samples, label: str) -> set[str]:
    return {text for name, labels in found if name.startswith("skg_") for key, text in labels if key == label}


async def query(api: httpx.AsyncClient, *pattern: str | None) -> None:
    assert (await api.post("/query", json={"pattern": pattern})).status_code == 200


@pytest.mark.once
async def test_the_guides_metrics_are_there_by_name_and_label(api: httpx.AsyncClient) -> None:
    await api.post("/triples/add", json=FACT)
    await query(api, "a", None, None)
    found = await samples(api)
    # The first sample of a process is taken soon after its start.
    async with asyncio.timeout(30):
        while not value(found, "skg_db_size_bytes"):
            await asyncio.sleep(0.05)
            found = await samples(api)
    for name, labels in GUIDE.items():
        assert {frozenset(key for key, _ in given) for other, given in found if other == name} == {frozenset(labels)}


@pytest.mark.once
async def test_requests_are_counted_by_method_route_and_status(api: httpx.AsyncClient) -> None:
    before = await samples(api)
    added = await api.post("/triples/add", json=FACT)
    await api.post("/triples/add", json=FACT)
    await api.get(f"/triples/{added.json()['id']}")
    await api.get("/triples/018d0c8e-9a40-8000-8000-000000000001")
    change = Counter(await samples(api))
    change.subtract(before)
    counted = {
        (labels["method"], labels["endpoint"], labels["http_status"]): number
        for (name, pairs), number in change.items()
        if name == "skg_requests_total" and number and (labels := dict(pairs))
    }
    assert counted == {
        ("POST", "/triples/add", "201"): 1,
        ("POST", "/triples/add", "200"): 1,
        ("GET", "/triples/{id}", "200"): 1,
        ("GET", "/triples/{id}", "404"): 1,
        ("GET", "/metrics", "200"): 1,
    }
    timed = {"method": "GET", "endpoint": "/triples/{id}"}
    assert value(change, "skg_request_duration_seconds_count", **timed) == 2
    assert value(change, "skg_request_duration_seconds_bucket", **timed, le="+Inf") == 2


@pytest.mark.once
async def test_a_client_cannot_make_label_values(api: httpx.AsyncClient) -> None:
    await api.request("BREW", "/stats")
    await api.get("/unknown")
    await samples(api)
    before = await samples(api)
    for path in ("/wp-login.php", "/triples/../etc/passwd", "/triples/{id}/x", "/%7Bid%7D", '/%0A"', "/x" * 900):
        await api.get(path)
    for method in ("PROPFIND", "GETX", "get", "X" * 500):
        await api.request(method, "/stats")
    await api.get("/stats", headers={"Host": "evil.example"})
    await api.post("/triples/add", content=b"x" * 100)
    after = await samples(api)
    for label in ("method", "endpoint"):
        assert label_values(after, label) - label_values(before, label) <= {"/triples/add", "POST", "GET"}
    assert label_values(after, "method") <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"}
    assert all(route == "unknown" or route.startswith("/") for route in label_values(after, "endpoint"))


async def test_facts_are_counted_by_the_way_they_came_in_and_duplicates_are_not(api: httpx.AsyncClient) -> None:
    before = await samples(api)
    await api.post("/triples/add", json=FACT)
    await api.post("/triples/add", json=FACT | {"on_duplicate": "replace"})
    other = FACT | {"subject": "b"}
    await api.post("/triples/batch", json={"triples": [FACT, other, other, FACT | {"subject": "c"}]})
    after = await samples(api)
    for source, number in (("api", 1), ("batch", 2)):
        assert value(after, "skg_triples_added_total", source=source) == number + value(
            before, "skg_triples_added_total", source=source
        )


async def test_queries_are_counted_by_whether_their_pattern_is_full(api: httpx.AsyncClient) -> None:
    await api.post("/triples/add", json=FACT)
    before = await samples(api)
    await query(api, "a", "p", "o")
    await query(api, "a", None, "o")
    await query(api, None, None, None)
    await api.post("/query", json={"pattern": "malformed"})
    change = Counter(await samples(api))
    change.subtract(before)
    assert value(change, "skg_queries_executed_total", pattern_type="full") == 1
    assert value(change, "skg_queries_executed_total", pattern_type="partial") == 2
    assert value(change, "skg_query_results_count") == 3
    assert value(change, "skg_query_results_sum") == 3


@pytest.fixture
def samples_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skg_site.server.gauge_sampling, "SAMPLE_SECONDS", 0.02)


async def test_the_database_is_measured(samples_often: None, api: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while value(await samples(api), "skg_active_connections") < 1:
            pass
    assert value(await samples(api), "skg_db_size_bytes") > 1000


@pytest.mark.once
async def test_djangos_own_metrics_are_there_too(api: httpx.AsyncClient) -> None:
    assert {name for name, _ in await samples(api) if name.startswith("django_")}


@pytest.mark.once
@pytest.mark.parametrize(
    ("networks", "status"),
    [
        ([], 200),
        (["127.0.0.0/8"], 200),
        (["10.0.0.0/8", "127.0.0.1"], 200),
        (["10.0.0.0/8", "::1"], 403),
        (["127.0.0.2/32"], 403),
    ],
)
async def test_metrics_are_shown_to_the_networks_that_may_read_them(
    anonymous: httpx.AsyncClient, change_settings: ChangeSettings, networks: list[str], status: int
) -> None:
    change_settings(metrics_networks=networks)
    answer = await anonymous.get("/metrics")
    assert answer.status_code == status
    assert ("skg_requests_total" in answer.text) == (status == 200)


@pytest.mark.once
async def test_metrics_with_a_port_of_their_own_are_not_shown_on_the_services(
    anonymous: httpx.AsyncClient, change_settings: ChangeSettings
) -> None:
    change_settings(metrics_port=9999)
    answer = await anonymous.get("/metrics")
    content: dict[str, Any] = answer.json()
    assert (answer.status_code, content["detail"]) == (404, "Metrics are served on port 9999.")
