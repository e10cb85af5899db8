"""The simulated distribution is that of generated facts, where there are few enough to count them."""

from collections import Counter
from random import Random

import pytest

from tests.benchmarks.distribution import (
    PLACES,
    asked_nodes,
    balance,
    entity_facts,
    patterns,
    report,
    slowest_of,
    written_nodes,
)
from tests.benchmarks.generator import HUBS, Graph

GRAPH = Graph(50_000)
NODES = 10


@pytest.fixture(scope="module")
def facts() -> list[tuple[str, str, str]]:
    return [fact[:3] for fact in GRAPH]


def test_the_most_frequent_entities_have_the_expected_facts(facts: list[tuple[str, str, str]]) -> None:
    counted = [number for _, number in Counter(fact[0] for fact in facts).most_common(HUBS + 20)][HUBS:]
    expected = [entity_facts(GRAPH, rank) for rank in range(20)]
    assert sum(counted) == pytest.approx(sum(expected), rel=0.25)


@pytest.mark.parametrize("place", PLACES)
def test_servers_are_as_full_as_they_would_be(place: str, facts: list[tuple[str, str, str]]) -> None:
    counted = Counter(fact[PLACES.index(place)] for fact in facts)
    skews = []
    for seed in range(25):
        draw = Random(seed)
        loads = [0] * NODES
        for number in counted.values():
            loads[draw.randrange(NODES)] += number
        skews.append(max(loads) * NODES / sum(loads))
    simulated = [balance(GRAPH, NODES, place, Random(seed)).skew for seed in range(25)]
    assert sum(simulated) / 25 == pytest.approx(sum(skews) / 25, rel=0.1)


def test_a_pattern_asks_one_server_if_its_constants_tell_which() -> None:
    asked = {pattern: asked_nodes(pattern, ("subject",), NODES) for pattern in patterns()}
    assert len(asked) == 8
    assert {pattern for pattern, nodes in asked.items() if nodes == 1} == {p for p in asked if "subject" in p}


def test_a_fact_is_written_to_several_servers_and_never_to_more_than_there_are() -> None:
    once, twice = (written_nodes(NODES, copies, Random(1), 2_000) for copies in (("subject",), ("subject", "object")))
    assert 3 < once < twice < 5
    assert written_nodes(1, ("subject",), Random(1), 10) == 1


def test_many_servers_meet_a_slow_one_more_often() -> None:
    assert slowest_of(1) == pytest.approx(0.01)
    assert slowest_of(10) == pytest.approx(0.0956, abs=1e-3)


def test_the_report_has_all_columns_and_patterns() -> None:
    said: list[str] = []
    report(GRAPH, NODES, 2, said.append)
    assert sum(line.strip().startswith("| ") for line in said) == 2 * 2 + len(PLACES) + 8
