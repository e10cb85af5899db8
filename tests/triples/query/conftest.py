import pytest

from triples.query import blocks, facts_parts


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that a few facts take several."""
    monkeypatch.setattr(blocks, "FIRST_BLOCK", 1)
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 4)
    monkeypatch.setattr(facts_parts, "SMALLEST", 1)
    monkeypatch.setattr(facts_parts, "LARGEST", 4)
