import pytest

from triples.query import blocks


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that a few facts take several."""
    monkeypatch.setattr(blocks, "FIRST_BLOCK", 1)
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 4)
