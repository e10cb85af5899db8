"""What a preview counts: all that a run of the rule alone would find, or as much as there is time for."""

from itertools import pairwise
from typing import Any

import pytest

from tests.support.database import in_orm
from tests.triples.runs.graphs import Graph
from triples.recursion.grammar import parse_rule
from triples.runs.previewing import derive_preview
from triples.runs.previews import Preview

pytestmark = pytest.mark.both

TRANSITIVE = {"name": "t", "head": ["?x", "p", "?z"], "body": [["?x", "p", "?y"], ["?y", "p", "?z"]]}


def preview(document: dict[str, Any]) -> Preview:
    return in_orm(derive_preview, parse_rule(document))


def test_a_transitive_rule_is_counted_to_its_end(graph: Graph) -> None:
    graph.add(*((left, "p", right) for left, right in pairwise("abcdefgh")))
    found = preview(TRANSITIVE)
    assert (found.count, found.exact, found.in_time, found.rounds) == (21, True, True, 3)
    assert found.number == "21 facts"
    assert found.extent == (
        "The rule was applied to its own facts too, for 3 rounds, until nothing new came. A run does the same."
    )
    assert Preview.of(found.content) == found


@pytest.mark.once
def test_one_round_needs_no_explanation(graph: Graph) -> None:
    graph.add(("a", "p", "b"), ("b", "p", "c"))
    found = preview(TRANSITIVE)
    assert (found.number, found.extent) == ("1 fact", "")


@pytest.mark.once
def test_too_many_facts_of_one_weight_are_not_said_to_be_none(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triples.runs.previewing.MOST_COUNTED", 10)
    graph.add(*((left, "p", right) for left, right in pairwise("abcdefgh")))
    found = preview(TRANSITIVE)
    assert (found.count, found.exact, found.number) == (0, False, "more facts than a preview counts")


@pytest.mark.once
def test_without_time_for_the_end_it_says_how_many_at_least(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first round finds one fact; the second combines every fact with every other, three times over."""
    monkeypatch.setattr("triples.runs.previewing.SECONDS", 2.5)
    graph.add(("a", "at", "few"), ("few", "next", "many"), ("many", "next", "end"), ("x", "few", "y"))
    graph.add(*((f"s{number}", "many", f"o{number}") for number in range(2000)))
    found = preview(
        {
            "name": "slow",
            "head": ["a", "at", "?n"],
            "body": [["a", "at", "?m"], ["?m", "next", "?n"], *([f"?s{turn}", "?m", f"?o{turn}"] for turn in range(3))],
        }
    )
    assert (found.count, found.exact, found.in_time, found.rounds) == (1, False, False, 1)
    assert found.number == "at least 1 fact"
    assert found.extent.startswith("These are of the first 1 round; time was up")
