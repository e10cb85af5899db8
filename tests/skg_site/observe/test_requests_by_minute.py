"""The requests of the last day: counted by the minute, over restarts, in a file that does not grow."""

from pathlib import Path
from time import time

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skg_site.observe import requests_by_minute
from skg_site.observe.metrics import BUCKETS
from skg_site.observe.requests_by_minute import MINUTES, Counts, changes, write
from tests.conftest import ChangeSettings

NOW = 30_000_000


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, change_settings: ChangeSettings) -> Path:
    change_settings(state_dir=tmp_path)
    return tmp_path


def counts(good: int, refused: int = 0, failed: int = 0) -> Counts:
    """So many requests, of which each took less than a millisecond."""
    return Counts(good, refused, failed, (good + refused + failed, *[0] * len(BUCKETS)))


def seen(minute: int = NOW) -> list[tuple[int, Counts]]:
    return list(changes(minute * 60.0 + 30))


def test_before_anything_is_counted_there_is_nothing() -> None:
    assert seen() == []
    write(NOW, counts(7))
    assert seen() == []


def test_what_came_between_two_records_is_of_the_later_minute() -> None:
    for minute, number in ((NOW - 5, 100), (NOW - 4, 130), (NOW - 1, 131)):
        write(minute, counts(number, 2))
    assert seen() == [(NOW - 4, counts(30)), (NOW - 1, counts(1))]


def test_after_a_restart_counting_begins_anew() -> None:
    for minute, number in ((NOW - 3, 100), (NOW - 2, 4), (NOW - 1, 9)):
        write(minute, counts(number))
    assert seen() == [(NOW - 2, counts(4)), (NOW - 1, counts(5))]


def test_records_of_the_day_before_are_replaced_and_old_ones_left_out(folder: Path) -> None:
    for minute in range(NOW - MINUTES - 5, NOW + 1):
        write(minute, counts(minute - NOW + 2 * MINUTES))
    assert [minute for minute, _ in seen()] == list(range(NOW - MINUTES + 2, NOW + 1))
    size = (folder / "activity").stat().st_size
    write(NOW + 1, counts(5 * MINUTES))
    assert (folder / "activity").stat().st_size == size < 200_000
    assert seen(NOW + 3 * MINUTES) == []


@settings(max_examples=50)
@given(numbers=st.lists(st.integers(0, 50), min_size=2, max_size=30))
def test_what_is_shown_adds_up(folder: Path, numbers: list[int]) -> None:
    (folder / "activity").unlink(missing_ok=True)
    total = 0
    for place, number in enumerate(numbers):
        total += number
        write(NOW + place, counts(total))
    assert [change.good for _, change in seen(NOW + len(numbers))] == numbers[1:]


def test_times_are_interpolated_within_their_bucket() -> None:
    durations = [0] * (len(BUCKETS) + 1)
    durations[0], durations[4] = 50, 50
    found = Counts(100, 0, 0, tuple(durations))
    assert found.quantile(0.25) == pytest.approx(0.0005)
    assert found.quantile(0.5) == pytest.approx(0.001)
    assert found.quantile(0.75) == pytest.approx(0.0175)
    assert Counts.none().quantile(0.5) is None
    assert Counts(1, 0, 0, (*[0] * len(BUCKETS), 1)).quantile(0.5) == BUCKETS[-1]


async def test_the_workers_write_what_they_have_answered(
    api: httpx.AsyncClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await requests_by_minute.sample()
    for path in ("/stats", "/stats", "/triples/nothing", "/health"):
        await api.get(path)
    written = (folder / "activity").read_bytes()
    await requests_by_minute.sample()
    assert (folder / "activity").read_bytes() == written, "a minute has one record"
    now = time()
    monkeypatch.setattr(requests_by_minute, "time", lambda: now + 60)
    await requests_by_minute.sample()
    [(minute, came)] = changes(now + 60)
    assert (minute, came.good, came.refused, came.failed) == (int(now // 60) + 1, 2, 1, 0)
    assert sum(came.durations) == 3
