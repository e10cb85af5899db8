"""The generated graph has the shape that it promises."""

import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from statistics import median

import orjson
import pytest

from skg_site.env import BASE_DIR
from tests.benchmarks.generator import HUB_PREDICATES, HUBS, PREDICATES, Fact, Graph, tsv_line

FACTS = 50_000


@pytest.fixture(scope="module")
def facts() -> list[Fact]:
    return list(Graph(FACTS))


def test_there_are_as_many_facts_as_asked_for_and_none_twice(facts: list[Fact]) -> None:
    assert len(facts) == FACTS
    assert len({fact[:3] for fact in facts}) == FACTS


def test_the_same_seed_gives_the_same_facts_and_another_gives_others(facts: list[Fact]) -> None:
    assert list(islice(Graph(FACTS), 5_000)) == facts[:5_000]
    others = {fact[:3] for fact in islice(Graph(FACTS, seed=2), 5_000)}
    assert len(others & {fact[:3] for fact in facts}) < 1_000


def test_hubs_have_a_hundredth_of_the_facts_each(facts: list[Fact]) -> None:
    subjects, objects = Counter(fact[0] for fact in facts), Counter(fact[2] for fact in facts)
    hubs = Graph(FACTS).hubs
    assert len({*hubs.subjects, *hubs.objects}) == 2 * HUBS
    # A few of theirs are drawn twice, and are then another's.
    assert all(subjects[hub] >= FACTS // 100 * 0.9 for hub in hubs.subjects)
    assert all(objects[hub] >= FACTS // 100 * 0.9 for hub in hubs.objects)
    for hub in hubs.subjects[1:]:
        assert len({fact[1] for fact in facts if fact[0] == hub}) == HUB_PREDICATES


def test_two_hubs_are_joined_by_every_predicate(facts: list[Fact]) -> None:
    joined = Graph(FACTS).hubs.joined
    assert len({fact[1] for fact in facts if (fact[0], fact[2]) == joined}) == PREDICATES


def test_few_entities_and_predicates_are_in_most_facts(facts: list[Fact]) -> None:
    hubs = set(Graph(FACTS).hubs.subjects)
    subjects = Counter(fact[0] for fact in facts if fact[0] not in hubs)
    assert subjects.most_common(1)[0][1] > 100 * median(subjects.values())
    predicates = Counter(fact[1] for fact in facts)
    assert set(predicates) == set(Graph(FACTS).predicates)
    assert len(predicates) == PREDICATES
    assert sum(count for _, count in predicates.most_common(PREDICATES // 10)) > FACTS / 2
    objects = Counter(fact[2] for fact in facts)
    assert sum(count == 1 for count in objects.values()) > FACTS * 0.15


def test_weights_are_many_and_often_the_same(facts: list[Fact]) -> None:
    weights = Counter(fact[3] for fact in facts)
    assert all(0 <= weight <= 1 for weight in weights)
    assert len(weights) > FACTS / 10
    assert weights[1.0] > FACTS / 10


def test_terms_have_the_lengths_of_real_ones(facts: list[Fact]) -> None:
    terms = {term for subject, _, object_, *_ in facts for term in (subject, object_)}
    assert min(map(len, terms)) >= 8
    assert max(map(len, terms)) <= 80
    assert any(not term.isascii() for term in terms)


def test_some_facts_have_metadata(facts: list[Fact]) -> None:
    found = [orjson.loads(fact[4]) for fact in facts if fact[4]]
    assert FACTS * 0.08 < len(found) < FACTS * 0.12
    assert all(set(metadata) == {"source", "confidence", "year"} for metadata in found)


def test_small_graphs_are_made_too() -> None:
    for size in (1, 10, 999):
        assert len({fact[:3] for fact in Graph(size)}) == size


def test_the_command_writes_what_the_import_reads(facts: list[Fact], tmp_path: Path) -> None:
    file = tmp_path / "facts.tsv"
    command = [sys.executable, "-m", "tests.benchmarks.generator", "--facts", str(FACTS), str(file)]
    subprocess.run(command, cwd=BASE_DIR, check=True, capture_output=True)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines == [tsv_line(fact) for fact in facts]
    assert all(3 <= line.count("\t") + 1 <= 5 for line in lines)
