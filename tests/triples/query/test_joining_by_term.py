"""Joins whose answers weigh the same: the first by their terms are those of trying everything."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triples.query.memory_source import MemorySource, facts_of
from tests.triples.query.question_oracle import best_answers
from tests.triples.query.test_ranked_join import TEXTS, assert_facts_match, keys, orders, questions
from triples.patterns import Variable
from triples.query import branches_in_order, joining_by_term, terms_in_order
from triples.query.answers import Position
from triples.query.blocks import Fact, TooMany
from triples.query.join_order import JoinOrder
from triples.query.joining_by_term import begins_with_selected, joined_by_term
from triples.query.questions import AskedPattern, Question

graphs = st.dictionaries(keys, st.sampled_from([1.0, 1.0, 1.0, 0.9, 0.0]), max_size=25).map(facts_of)


def in_order(places: Sequence[int], data: st.DataObject | None = None) -> JoinOrder:
    """The order with any estimates, which may be far from the truth."""
    others = st.sampled_from([0.0, 1 / 256, 1.0, 50.0])
    estimates = (1.0, *(data.draw(others) if data else 1.0 for _ in places[1:]))
    return JoinOrder(tuple(places), estimates, (1,) * len(places))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining_by_term, "FIRST", 1)
    monkeypatch.setattr(joining_by_term, "LARGEST", 4)
    # So few rows that one term may have too many.
    monkeypatch.setattr(joining_by_term, "MOST_ROWS", 1)
    monkeypatch.setattr(joining_by_term, "MOST_FOR_EACH", 1)
    monkeypatch.setattr(terms_in_order, "ROWS", 1)
    monkeypatch.setattr(branches_in_order, "ROWS", 1)
    monkeypatch.setattr(branches_in_order, "_MOST_READ", 3)


@contextmanager
def with_branches(data: st.DataObject) -> Iterator[None]:
    """Whatever branches off is read apart, or nothing is."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(branches_in_order, "_WORTH", data.draw(st.sampled_from([0.0, inf])))
        yield


@pytest.mark.usefixtures("small_parts")
@given(graphs, questions(), st.data(), st.integers(1, 6), st.integers(0, 6))
def test_the_first_answers_are_those_of_trying_everything(
    facts: list[Fact], question: Question[int], data: st.DataObject, k: int, skipped: int
) -> None:
    order = data.draw(orders(question))
    if not begins_with_selected(question, order):
        return
    expected = best_answers(question, question.selected, facts, TEXTS)
    after = Position(expected[skipped - 1][1], expected[skipped - 1][0]) if 0 < skipped <= len(expected) else None
    following = expected[skipped:] if after else expected

    try:
        with with_branches(data):
            found = joined_by_term(question, in_order(order, data), MemorySource(facts, TEXTS), k=k, after=after)
    except TooMany:
        return

    if found is not None:
        assert [(answer.terms, answer.weight) for answer in found.answers] == following[:k]
        assert found.complete_above is None
        assert_facts_match(question, found.answers)
    else:
        top = [weight for _, weight in following if weight == expected[0][1]]
        assert len(top) < k or expected[0][1] < 1 or len(facts) > 4


@pytest.mark.usefixtures("small_parts")
@given(graphs, questions(), st.data(), st.integers(1, 30), st.sampled_from([1.0, 0.3]), st.integers(0, 2))
def test_where_all_facts_weigh_the_same_all_answers_are_found(
    facts: list[Fact], question: Question[int], data: st.DataObject, k: int, weight: float, skipped: int
) -> None:
    order = data.draw(orders(question))
    if not begins_with_selected(question, order):
        return
    same = [fact._replace(weight=weight) for fact in facts]
    expected = best_answers(question, question.selected, same, TEXTS)
    after = Position(expected[skipped - 1][1], expected[skipped - 1][0]) if 0 < skipped <= len(expected) else None
    following = expected[skipped:] if after else expected

    try:
        source = MemorySource(same, TEXTS)
        with with_branches(data):
            found = joined_by_term(question, in_order(order, data), source, k=k, after=after, uniform=True)
    except TooMany:
        return

    if found is None:
        # An answer that weighs so little is none.
        assert not expected
        return
    assert [(answer.terms, answer.weight) for answer in found.answers] == following[:k]
    assert found.total in (None, len(expected))
    assert_facts_match(question, found.answers)


@st.composite
def trees(draw: st.DrawFn) -> Question[int]:
    """Each pattern has one new variable, as branches do."""
    names = list(map(Variable, "abcde"))
    patterns: list[AskedPattern[int]] = []
    for number in range(1, draw(st.integers(2, 5))):
        ends = (draw(st.sampled_from(names[:number])), names[number])
        first, last = draw(st.permutations(ends))
        patterns.append((first, draw(st.sampled_from([8, 9, None])), last))
    select = draw(st.none() | st.permutations(names[: len(patterns) + 1]).map(tuple))
    return Question(tuple(patterns), select=select)


@pytest.mark.usefixtures("small_parts")
@given(
    st.sets(st.tuples(st.integers(1, 4), st.sampled_from([8, 9]), st.integers(1, 4)), max_size=20),
    trees(),
    st.data(),
    st.integers(1, 30),
    st.integers(0, 20),
)
def test_the_answers_of_branches_are_those_of_trying_everything(
    triples: set[tuple[int, int, int]], question: Question[int], data: st.DataObject, k: int, skipped: int
) -> None:
    order = data.draw(orders(question))
    if not begins_with_selected(question, order):
        return
    facts = facts_of(dict.fromkeys(sorted(triples), 0.5))
    expected = best_answers(question, question.selected, facts, {})
    skipped = min(skipped, len(expected))
    after = Position(expected[skipped - 1][1], expected[skipped - 1][0]) if skipped else None

    try:
        with with_branches(data):
            source = MemorySource(facts)
            found = joined_by_term(question, in_order(order, data), source, k=k, after=after, uniform=True)
    except TooMany:
        return

    assert found is not None
    assert [(answer.terms, answer.weight) for answer in found.answers] == expected[skipped:][:k]
    assert_facts_match(question, found.answers)


def test_branches_are_read_once_and_their_answers_are_made_as_far_as_wanted() -> None:
    a, b, c, d = map(Variable, "abcd")
    # 200 subjects of each of two objects, so that there are 16 million answers.
    facts = facts_of({(subject, 8, 500 + place): 1.0 for subject in range(1, 201) for place in range(2)})
    source = MemorySource(facts)
    question = Question(((b, 8, a), (c, 8, a), (d, 8, a)), select=(b, a, c, d))
    order = JoinOrder((0, 1, 2), (400.0, 80_000.0, 16_000_000.0), (400, 400, 400))

    found = joined_by_term(question, order, source, k=300, uniform=True)

    assert found is not None
    assert [answer.terms for answer in found.answers] == [(1, 500, 1 + n // 200, 1 + n % 200) for n in range(300)]
    assert source.read_facts < 10_000


@pytest.mark.usefixtures("small_parts")
@given(graphs, questions(), st.data(), st.integers(0, 8))
def test_when_time_is_over_the_answers_are_an_exact_prefix(
    facts: list[Fact], question: Question[int], data: st.DataObject, reads: int
) -> None:
    order = data.draw(orders(question))
    if not begins_with_selected(question, order):
        return
    expected = best_answers(question, question.selected, facts, TEXTS)

    try:
        found = joined_by_term(question, in_order(order, data), MemorySource(facts, TEXTS, reads), k=4)
    except TooMany:
        return

    if found is not None:
        answers = [(answer.terms, answer.weight) for answer in found.answers]
        assert answers == expected[: len(answers)]
        assert found.complete_above is not None or answers == expected[:4]


def test_of_many_ties_only_those_of_the_first_terms_are_read() -> None:
    x, y, z = map(Variable, "xyz")
    facts = facts_of(
        {(number, 1, number % 50 + 50_000): 1.0 for number in range(1, 20_000)}
        | {(number % 50 + 50_000, 2, number + 60_000): 1.0 for number in range(1_000)}
    )
    source = MemorySource(facts)

    found = joined_by_term(Question(((x, 1, y), (y, 2, z))), in_order([0, 1]), source, k=3)

    assert found is not None
    assert [answer.terms for answer in found.answers] == [(1, 50_001, 60_001), (1, 50_001, 60_051), (1, 50_001, 60_101)]
    assert source.read_facts < 2_000


def test_the_answers_of_a_hub_are_found_by_the_terms_that_come_next() -> None:
    x, y, z = map(Variable, "xyz")
    facts = facts_of({(7, 1, number): 1.0 for number in range(100, 400)} | {(8, 1, 100): 1.0})
    source = MemorySource(facts)
    question = Question(((x, 1, y), (x, 1, z)))

    found = joined_by_term(question, in_order([0, 1]), source, k=3)

    assert found is not None
    assert [answer.terms for answer in found.answers] == [(7, 100, number) for number in range(100, 103)]
    # All of the 90,000 answers of the hub would be far more.
    assert source.read_facts < 20_000
    after = Position(1.0, (7, 399, 398))
    rest = joined_by_term(question, in_order([0, 1]), source, k=2, after=after)
    assert rest is not None
    assert [answer.terms for answer in rest.answers] == [(7, 399, 399), (8, 100, 100)]
