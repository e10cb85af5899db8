"""What Prometheus is told of runs: what their rows say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.support.database import in_orm
from triples.models import RecursionRun, RunStatus
from triples.runs import metrics

START = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_shown(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_shown", None)


def add_run(status: RunStatus, minute: int, **columns: Any) -> None:
    """A run that began in this minute and, unless it goes on, took ten seconds."""
    started = START + timedelta(minutes=minute)
    is_active = status in {RunStatus.QUEUED, RunStatus.RUNNING}
    ended = {"active": None, "finished_at": started + timedelta(seconds=10)}
    in_orm(
        RecursionRun.objects.create,
        status=status,
        created_at=started,
        started_at=started,
        **({} if is_active else ended),
        **columns,
    )


def shown(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"skg_recursion_{name}", labels)


async def test_runs_are_counted_by_how_they_ended_and_the_last_is_described() -> None:
    add_run(RunStatus.SUCCEEDED, 0, rounds=[{}] * 7, added=1)
    add_run(RunStatus.SUCCEEDED, 1, rounds=[{}] * 3, added=40, changed=2, removed=1)
    add_run(RunStatus.FAILED, 2, error="no")
    await metrics.sample()
    assert (shown("runs", outcome="succeeded"), shown("runs", outcome="failed"), shown("runs", outcome="died")) == (
        2,
        1,
        0,
    )
    assert shown("last_duration_seconds") == 10
    assert shown("last_end_timestamp_seconds") == (START + timedelta(minutes=2, seconds=10)).timestamp()
    assert shown("last_success_timestamp_seconds") == (START + timedelta(minutes=1, seconds=10)).timestamp()
    assert (shown("running"), shown("running_seconds")) == (0, 0)
    assert shown("last_failure_timestamp_seconds") == shown("last_end_timestamp_seconds")
    add_run(RunStatus.SUCCEEDED, 3, rounds=[{}] * 4, added=5)
    await metrics.sample()
    assert shown("runs", outcome="succeeded") == 3
    assert (shown("last_rounds"), shown("last_facts", change="added"), shown("last_facts", change="removed")) == (
        4,
        5,
        0,
    )


async def test_a_run_that_was_cancelled_has_not_failed() -> None:
    add_run(RunStatus.SUCCEEDED, 0)
    add_run(RunStatus.CANCELLED, 1)
    await metrics.sample()
    assert shown("last_end_timestamp_seconds") == (START + timedelta(minutes=1, seconds=10)).timestamp()
    assert shown("last_failure_timestamp_seconds") == 0


async def test_a_run_that_goes_on_is_timed() -> None:
    add_run(RunStatus.RUNNING, 0)
    await metrics.sample()
    assert shown("running") == 1
    assert (shown("running_seconds") or 0) > 1000
    assert shown("timeout_seconds") == 3600


async def test_where_there_has_been_no_run_there_is_nothing_to_tell() -> None:
    before = shown("last_end_timestamp_seconds")
    await metrics.sample()
    assert shown("last_end_timestamp_seconds") == before
    assert shown("running") == 0
