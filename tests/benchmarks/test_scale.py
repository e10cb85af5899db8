"""The section on scale, on graphs so small that its figures say nothing."""

from pathlib import Path

import pytest

from tests.benchmarks import graphs, scale
from tests.benchmarks.report import Section, Settings

SIZES = (8_000, 10_000)


def test_the_section_tells_all_that_it_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "QUICK_SIZES", SIZES)
    monkeypatch.setattr(scale, "QUICK_QUERIES", 8)
    monkeypatch.setattr(graphs, "QUICK_FACTS", 600)
    section = scale.run(Settings(tmp_path, quick=True, rounds=1))
    every_shape_has_a_row_and_so_have_hubs_and_the_other_paths(section)
    memory_is_told_before_and_after_the_work(section)
    texts_take_more_room_than_numbers_and_long_ones_most(section)
    an_import_into_the_large_graph_is_told_beside_one_into_an_empty_database(section)


def every_shape_has_a_row_and_so_have_hubs_and_the_other_paths(section: Section) -> None:
    timings = section.tables[0]
    work = [row[0] for row in timings.rows]
    assert work[:2] == ["(?, ?, ?)", "(?, ?, o)"]
    assert len(work) == 8 + 8 + 7 + 3
    assert work[-3:] == ["/stats", "/metrics", "/ready"]
    for row in timings.rows:
        assert all(isinstance(cell, float) and cell > 0 for cell in row[1:]), row


def memory_is_told_before_and_after_the_work(section: Section) -> None:
    memory = section.tables[1]
    assert [row[0] for row in memory.rows] == [SIZES[0], SIZES[0], SIZES[1], SIZES[1]]
    for _, _, resident, proportional, own in memory.rows:
        assert isinstance(resident, float)
        assert isinstance(proportional, float)
        assert isinstance(own, float)
        assert 20 < own <= resident < 500
        assert 20 < proportional <= resident


def texts_take_more_room_than_numbers_and_long_ones_most(section: Section) -> None:
    *names, iris = section.tables[2].rows
    ratios = [row[-1] for row in names]
    assert all(isinstance(ratio, float) and 0.2 < ratio < 0.7 for ratio in ratios)
    assert isinstance(iris[-1], float)
    assert iris[-1] < min(ratio for ratio in ratios if isinstance(ratio, float))


def an_import_into_the_large_graph_is_told_beside_one_into_an_empty_database(section: Section) -> None:
    [[graph, empty, large, ratio]] = section.tables[4].rows
    assert graph == "a generated graph"
    assert isinstance(empty, float)
    assert isinstance(large, float)
    assert ratio == pytest.approx(empty / large)


def test_no_copy_is_left_behind(tmp_path: Path) -> None:
    from tests.benchmarks.generator import Graph
    from tests.benchmarks.scale_disk import disk
    from tests.benchmarks.scale_graphs import database_of, stored_graph

    graphs, scratch = tmp_path / "graphs", tmp_path / "scratch"
    scratch.mkdir()
    folder = stored_graph(Graph(500), graphs)
    made = database_of(folder).stat().st_mtime_ns
    assert stored_graph(Graph(500), graphs) == folder
    assert database_of(folder).stat().st_mtime_ns == made
    found = disk(database_of(folder), scratch)
    assert found.facts == 500
    assert {"triples_triple", "triples_term"} <= {part.name for part in found.parts} or not found.parts
    assert list(scratch.iterdir()) == []
