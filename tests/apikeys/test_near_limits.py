"""The table of keys near their limits, which all workers of a host share."""

from pathlib import Path

import pytest

from apikeys import near_limits
from apikeys.near_limits import WINDOW, NearLimits

NOW = 10 * WINDOW


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The moment that it is, as the one item of a list."""
    moment = [NOW]
    monkeypatch.setattr(near_limits, "monotonic_ns", lambda: moment[0])
    return moment


def test_a_key_counts_for_a_minute_in_every_process(tmp_path: Path, clock: list[int]) -> None:
    here, there = NearLimits(tmp_path / "near"), NearLimits(tmp_path / "near")
    assert here.note("a")
    assert here.note("b")
    assert not there.note("a")
    assert (here.count(), there.count()) == (2, 2)
    clock[0] += WINDOW - 1
    assert there.note("c")
    assert here.count() == 3
    clock[0] += 1
    assert here.count() == 1
    assert here.note("a")


def test_moments_of_a_clock_that_started_again_do_not_count(tmp_path: Path, clock: list[int]) -> None:
    table = NearLimits(tmp_path / "near")
    table.note("a")
    clock[0] = WINDOW
    assert table.count() == 0
    assert table.note("a")


def test_a_thousand_keys_are_hardly_miscounted(tmp_path: Path) -> None:
    table = NearLimits(tmp_path / "near")
    for number in range(1000):
        table.note(f"key-{number}")
    assert 950 < table.count() <= 1000
