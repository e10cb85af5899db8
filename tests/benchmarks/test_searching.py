"""The section on names, in a graph so small that its figures say nothing."""

from pathlib import Path

import pytest

from tests.benchmarks import searching
from tests.benchmarks.report import Settings

pytestmark = pytest.mark.long


def test_names_are_found_however_they_are_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "QUICK_FACTS", 2_000)
    monkeypatch.setattr(searching, "QUICK_SEARCHES", 8)

    [table] = searching.run(Settings(tmp_path, quick=True)).tables

    found = {row[0]: row[-1] for row in table.rows}
    assert found["the name"] == 1
    assert all(isinstance(share, float) and share > 0 for share in found.values())
    for row in table.rows:
        assert all(isinstance(cell, float) and cell > 0 for cell in row[2:5]), row
