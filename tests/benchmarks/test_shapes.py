"""The section on shapes, in a graph so small that its figures say nothing."""

from pathlib import Path

import pytest

from tests.benchmarks import shapes
from tests.benchmarks.report import Settings
from tests.benchmarks.shape_questions import SHAPES, drawn

# Two triangles that run around and one that does not, over the same three terms.
FACTS = [("1", "p", "2"), ("2", "q", "3"), ("3", "r", "1"), ("1", "s", "3"), ("3", "p", "1"), ("4", "q", "4")]


def test_questions_are_those_that_the_graph_answers() -> None:
    questions = drawn(FACTS, 3, seed=1)

    assert questions.keys() == SHAPES.keys()
    assert len(SHAPES) == 17
    around = {frozenset(predicate for _, predicate, _ in question) for question in questions["Tr1"]}
    assert around == {frozenset("pqr"), frozenset("pq")}
    # Nothing has four different terms but with the one that only knows itself.
    assert not questions["S1"]
    assert questions == drawn(FACTS, 3, seed=1)


@pytest.mark.long
def test_all_find_the_same_answers(tmp_path: Path) -> None:
    graph = tmp_path / "graph.tsv"
    graph.write_text("".join("\t".join(fact) + "\t0.5\n" for fact in FACTS), encoding="utf-8")

    [table] = shapes.run(Settings(tmp_path, rounds=1, quick=True, graph=graph)).tables

    *rows, total = table.rows
    assert {str(row[0]).partition(":")[0] for row in rows} >= {"P2", "T2", "TI2", "Tr1", "Tr2"}
    assert all(isinstance(cell, float) and cell > 0 for cell in total[2:7])
