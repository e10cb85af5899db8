"""Best paths: those of trying all simple paths, exactly, though only the facts that matter are read."""

from collections.abc import Iterator, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triples.query.memory_source import MemorySource, facts_of
from triples.query import best_paths as module
from triples.query import path_reads, path_round
from triples.query.best_paths import best_paths
from triples.query.blocks import Fact
from triples.query.path_facts import Path, PathQuestion, PathStep

weights = st.sampled_from([1.0, 1.0, 1.0, 0.5, 0.9, 0.25, 0.0, 0.1, 0.3, 0.7, 1e-200]) | st.floats(0.01, 1.0)
keys = st.tuples(st.integers(1, 8), st.integers(20, 22), st.integers(1, 8))


@st.composite
def graphs(draw: st.DrawFn) -> list[Fact]:
    """Few terms and many facts; or with a term that has so many facts that they take several blocks."""
    found = draw(st.dictionaries(keys, weights, max_size=24))
    if draw(st.integers(0, 3)) == 0:
        hub, weight = draw(st.integers(1, 8)), draw(weights)
        found |= {(hub, 20, number): weight for number in range(100, 140)}
    return facts_of(found)


questions = st.builds(
    PathQuestion,
    st.integers(1, 4),
    st.integers(5, 8),
    st.none() | st.lists(st.integers(20, 23), min_size=1, max_size=2, unique=True).map(tuple),
    st.sampled_from(["out", "in", "any"]),
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from(["weight", "length"]),
    st.sampled_from([0.0, 0.0, 0.25, 0.6]),
)


def all_paths(question: PathQuestion, facts: Sequence[Fact]) -> list[Path]:
    """Every simple path, in order: each walk from the start goes on until it ends or meets itself."""
    steps = [step for fact in facts for step in _steps(question, fact)]

    def walks(walked: tuple[PathStep, ...], term: int, weight: float) -> Iterator[Path]:
        if term == question.goal:
            yield Path(weight, walked)
        elif len(walked) < question.max_length:
            passed = {question.start, *(step.end for step in walked)}
            for step in steps:
                if step.start == term and step.end not in passed:
                    yield from walks((*walked, step), step.end, weight * step.fact.weight)

    def place(path: Path) -> tuple[object, ...]:
        key = [(step.end, step.fact.key.predicate, step.reversed) for step in path.steps]
        by_length = question.order == "length"
        return (len(path.steps), -path.weight, key) if by_length else (-path.weight, len(path.steps), key)

    found = [path for path in walks((), question.start, 1.0) if path.weight >= question.min_weight and path.weight > 0]
    return sorted(found, key=place)


def _steps(question: PathQuestion, fact: Fact) -> Iterator[PathStep]:
    subject, predicate, object_ = fact.key
    if fact.weight > 0 and (question.predicates is None or predicate in question.predicates):
        if question.direction != "in":
            yield PathStep(subject, object_, fact, reversed=False)
        if question.direction != "out":
            yield PathStep(object_, subject, fact, reversed=True)


@pytest.fixture(params=["in rounds", "with hubs", "one after the other"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All facts of wanted paths are read together, with terms that are looked up as hubs are; or they are too many."""
    if request.param != "in rounds":
        monkeypatch.setattr(path_reads, "HUB", 2)
        monkeypatch.setattr(path_round, "_GROUPS", 2)
        monkeypatch.setattr(path_round, "_SMALLEST_GROUP", 1)
    if request.param == "one after the other":
        monkeypatch.setattr(path_round, "MOST_READ", 4)
        monkeypatch.setattr(module, "_KNOWN", 8)


@pytest.mark.usefixtures("small_blocks", "either_way")
@given(graphs(), questions)
def test_the_best_paths_are_those_of_trying_all(facts: list[Fact], question: PathQuestion) -> None:
    found = best_paths(question, MemorySource(facts))

    assert found.paths == all_paths(question, facts)[: question.k]
    assert found.complete_above is None
    assert found.complete_within is None


@pytest.mark.usefixtures("small_blocks", "either_way")
@given(graphs(), questions, st.integers(0, 60))
def test_when_time_is_over_the_paths_are_an_exact_beginning(
    facts: list[Fact], question: PathQuestion, reads: int
) -> None:
    found = best_paths(question, MemorySource(facts, reads=reads))

    expected = all_paths(question, facts)
    assert found.paths == expected[: len(found.paths)]
    above, within = found.complete_above, found.complete_within
    if above is None and within is None:
        assert found.paths == expected[: question.k]
    for path in expected[len(found.paths) : question.k]:
        assert above is None or path.weight <= above
        assert within is None or len(path.steps) > within


def test_of_a_term_with_many_facts_only_the_heaviest_are_read() -> None:
    facts = {(1, 20, number): 1 - number / 50_000 for number in range(100, 5_100)}
    source = MemorySource(facts_of(facts | {(200, 21, 2): 0.9, (4_000, 21, 2): 1.0}))

    [path] = best_paths(PathQuestion(1, 2), source).paths

    assert [step.end for step in path.steps] == [4_000, 2]
    assert source.read_facts < 100


def test_without_a_path_the_smaller_side_decides() -> None:
    """Around the start, every term has a fact about every other; the goal is one of four."""
    crowd = {(first, 20, second): 1.0 for first in range(1, 80) for second in range(1, 80) if first != second}
    few = {(first, 20, first + 1): 1.0 for first in range(1001, 1005)}
    source = MemorySource(facts_of(crowd | few))

    assert best_paths(PathQuestion(1, 1003), source).paths == []
    assert source.read_facts < 200


def test_a_crowd_without_weights_is_not_searched_for_what_is_next_door() -> None:
    """All products tie: the fewest facts, then the least terms."""
    crowd = {(first, 20, second): 1.0 for first in range(1, 150) for second in range(1, 150) if first != second}
    source = MemorySource(facts_of(crowd))

    paths = best_paths(PathQuestion(7, 9, direction="out", k=3), source).paths

    assert [[step.end for step in path.steps] for path in paths] == [[9], [1, 9], [2, 9]]
    assert source.read_facts < 1500


@pytest.mark.usefixtures("small_blocks")
def test_a_search_by_length_that_runs_out_of_time_says_which_lengths_are_complete() -> None:
    line = {(number, 20, number + 1): 1.0 for number in range(1, 6)}
    source = MemorySource(facts_of(line | {(1, 20, 3): 0.1, (1, 21, 6): 0.5}), reads=6)

    found = best_paths(PathQuestion(1, 6, direction="out", k=3, order="length"), source)

    assert [len(path.steps) for path in found.paths] == [1]
    assert found.complete_within is not None
    assert 1 <= found.complete_within < 4
    assert found.complete_above is None


def test_more_than_may_be_read_together_is_searched_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_round, "MOST_READ", 3)
    line = {(number, 20, number + 1): 0.9 for number in range(1, 6)} | {
        (6, 20, number): 0.9 for number in range(10, 20)
    }

    [path] = best_paths(PathQuestion(1, 6), MemorySource(facts_of(line))).paths

    assert [step.end for step in path.steps] == [2, 3, 4, 5, 6]


def test_facts_that_are_read_together_take_fewer_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = Random(3)
    facts = facts_of({(dice.randrange(1_000), 20, dice.randrange(1_000)): 1 - dice.random() ** 2 for _ in range(4_000)})

    def asked() -> tuple[list[list[Path]], int]:
        source = MemorySource(facts)
        return [best_paths(PathQuestion(start, start + 1, k=3), source).paths for start in (1, 5)], source.read_blocks

    together, reads = asked()
    monkeypatch.setattr(path_round, "MOST_READ", 0)
    others, reads_otherwise = asked()
    assert together == others
    assert reads < 0.3 * reads_otherwise


def test_a_hub_is_looked_up_and_not_read() -> None:
    """The hub is two facts from the start, and one of its 5,000 neighbours is three from the goal."""
    hub = {(10, 20, number): 1.0 for number in range(100, 5_100)}
    ways = {(1, 21, 9): 1.0, (9, 21, 10): 1.0, (2_000, 21, 12): 0.9, (12, 21, 11): 0.9, (11, 21, 2): 0.9}
    source = MemorySource(facts_of(hub | ways | {(1, 21, number): 0.5 for number in range(20, 40)}))

    [path] = best_paths(PathQuestion(1, 2), source).paths

    assert [step.end for step in path.steps] == [9, 10, 2_000, 12, 11, 2]
    assert source.read_facts < 250


def test_what_two_hubs_have_in_common_is_found_without_reading_both() -> None:
    hubs = {(10, 20, number): 0.9 for number in range(100, 3_100)}
    hubs |= {(number, 20, 11): 0.8 for number in range(3_000, 6_000)}
    ways = {(1, 21, 9): 1.0, (9, 21, 10): 1.0, (11, 21, 12): 1.0, (12, 21, 2): 1.0}
    source = MemorySource(facts_of(hubs | ways))

    [path] = best_paths(PathQuestion(1, 2), source).paths

    assert [step.end for step in path.steps] == [9, 10, 3_000, 11, 12, 2]
    assert source.read_facts < 1_000


def test_without_any_time_nothing_is_known() -> None:
    source = MemorySource(facts_of({(1, 20, 2): 1.0}))

    assert best_paths(PathQuestion(1, 2), source, expired=lambda: True) == ([], 1.0, None)
