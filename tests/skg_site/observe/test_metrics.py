"""How much there is to scrape, and what a worker tells of itself and its host."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.typing import EventDict

import skg_site.server.gauge_sampling
from skg_site.host.certificates import expiry as certificate_expiry
from tests.conftest import ChangeSettings, IssueKey, StartService
from tests.deploy.monitored import certificate
from tests.support.database import in_orm
from tests.support.service import manage

MOST_SERIES = 2_200
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")


def value(page: str, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return None


async def until(api: httpx.AsyncClient, good: Callable[[str], bool]) -> str:
    """The page of metrics once it is as it should be."""
    async with asyncio.timeout(60):
        while not good(page := (await api.get("/metrics")).text):
            await asyncio.sleep(0.02)
    return page


@pytest.fixture(autouse=True)
def samples_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skg_site.server.gauge_sampling, "SAMPLE_SECONDS", 0.02)


def test_keys_and_clients_that_try_everything_make_no_more_series_than_are_scraped_well(
    service: StartService,
) -> None:
    one = service(workers=2)
    issue = (
        "from apikeys.services import key_issue\n"
        "for number in range(200):\n"
        "    key = key_issue(name=str(number), scopes={'read'}, actor='tests')\n"
        "    print(key.clear_text)\n"
    )
    keys = manage("shell", "--no-imports", "-c", issue, variables=one.variables).stdout.split()
    assert len(keys) == 200
    paths = [
        *httpx.get(f"{one.url}/openapi.json").json()["paths"],
        "/",
        "/docs",
        "/admin/",
        "/admin/login/",
        "/nowhere",
    ]
    with one.client() as client:
        for key in keys:
            assert client.get("/keys/me", headers={"Authorization": f"Bearer {key}"}).is_success
        for path in paths:
            for method in METHODS:
                if (method, path) != ("POST", "/recurse"):
                    client.request(method, path.replace("{id}", "018d0c8e-9a40-8000-8000-000000000001"))
                    client.request(method, path, headers={"Authorization": "Bearer wrong"})
        page = client.get("/metrics").text
    series = [line for line in page.splitlines() if line and not line.startswith("#")]
    assert len(series) < MOST_SERIES
    # No series names a key.
    assert not [key for key in keys if key.split("_")[-1][:8] in page]


@pytest.mark.both
async def test_keys_are_counted_by_what_they_are_worth(api: httpx.AsyncClient, issue_key: IssueKey) -> None:
    from apikeys.models import ApiKey

    old = issue_key(expires_at=datetime.now(UTC) + timedelta(days=1)).split("_")[-1][:8]
    in_orm(ApiKey.objects.filter(public_id=old).update, expires_at=datetime.now(UTC))
    page = await until(api, lambda page: value(page, "skg_keys", state="expired") == 1)
    assert value(page, "skg_keys", state="active") == 1
    assert value(page, "skg_keys", state="revoked") == 0


async def test_a_key_near_its_limit_is_counted_and_named_once(
    api: httpx.AsyncClient, issue_key: IssueKey, log: list[EventDict]
) -> None:
    key = issue_key(rate="5/h")
    before = value((await api.get("/metrics")).text, "skg_rate_limited_total", endpoint="/keys/me") or 0
    headers = {"Authorization": f"Bearer {key}"}
    statuses = [(await api.get("/keys/me", headers=headers)).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    page = await until(api, lambda page: (value(page, "skg_keys_near_limit") or 0) >= 1)
    assert value(page, "skg_rate_limited_total", endpoint="/keys/me") == before + 2
    [line] = [line for line in log if line["event"] == "key_near_limit"]
    assert line["key_id"] == key.split("_")[-1][:8]
    assert line["endpoint"] == "/keys/me"


async def test_refused_keys_are_counted_by_the_reason_in_the_log(api: httpx.AsyncClient, issue_key: IssueKey) -> None:
    def counts(page: str) -> dict[str, float]:
        return {
            reason: value(page, "skg_auth_failures_total", reason=reason) or 0
            for reason in ("missing", "malformed", "unknown", "address")
        }

    before = counts((await api.get("/metrics")).text)
    abroad = issue_key(allowed_networks="203.0.113.0/24")
    del api.headers["Authorization"]
    await api.get("/stats")
    await api.get("/stats", headers={"Authorization": "Bearer wrong"})
    await api.get("/stats", headers={"Authorization": f"Bearer {abroad}"})
    after = counts((await api.get("/metrics")).text)
    assert {reason: after[reason] - before[reason] for reason in after} == {
        "missing": 1,
        "malformed": 1,
        "unknown": 0,
        "address": 1,
    }


@pytest.mark.both
async def test_groups_of_writes_are_measured(api: httpx.AsyncClient) -> None:
    before = (await api.get("/metrics")).text
    for subject in "ab":
        await api.post("/triples/add", json={"subject": subject, "predicate": "p", "object": "o"})

    def change(page: str, name: str) -> float:
        return (value(page, name) or 0) - (value(before, name) or 0)

    page = await until(api, lambda page: change(page, "skg_commit_writes_sum") == 2)
    assert change(page, "skg_commit_duration_seconds_count") == 2
    assert change(page, "skg_commit_duration_seconds_sum") > 0
    await until(api, lambda page: value(page, "skg_facts", kind="asserted") == 2)


async def test_the_last_backup_and_the_certificates_are_watched(
    api: httpx.AsyncClient, change_settings: ChangeSettings, tmp_path: Path, log: list[EventDict]
) -> None:
    from django.conf import settings

    file = certificate(tmp_path)
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    change_settings(certificates=[str(file), str(broken)])
    await until(api, lambda page: value(page, "skg_backup_last_success_timestamp_seconds") == 0)
    record = settings.ENV.state_dir / "backup.json"
    record.write_text("{")
    try:
        async with asyncio.timeout(30):
            while not [line for line in log if line["event"] == "backup_record_damaged"]:
                await asyncio.sleep(0.02)
        record.write_text('{"finished_at": "2026-01-15T10:30:00+00:00", "bytes": 1234, "file": "/backups/1"}')
        page = await until(api, lambda page: value(page, "skg_backup_size_bytes") == 1234)
    finally:
        record.unlink()
    assert (
        value(page, "skg_backup_last_success_timestamp_seconds")
        == datetime(2026, 1, 15, 10, 30, tzinfo=UTC).timestamp()
    )
    expiry = value(page, "skg_certificate_expiry_timestamp_seconds", file=str(file))
    assert expiry == certificate_expiry(file.read_bytes()).timestamp()
    assert {line["file"] for line in log if line["event"] == "certificate_unreadable"} == {str(broken)}


async def test_a_sample_that_fails_leaves_the_others_be(
    api: httpx.AsyncClient, log: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise OSError

    monkeypatch.setitem(skg_site.server.gauge_sampling.SAMPLERS, "worker", fail)
    async with asyncio.timeout(30):
        while not [line for line in log if line["event"] == "sample_failed"]:
            await asyncio.sleep(0.02)
    await api.post("/triples/add", json={"subject": "a", "predicate": "p", "object": "o"})
    await until(api, lambda page: value(page, "skg_facts", kind="asserted") == 1)
