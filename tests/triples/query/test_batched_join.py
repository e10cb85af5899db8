"""Joins whose answers are all found and sorted: they are those that come heaviest first, whatever is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triples.query.memory_source import MemorySource, facts_of
from tests.triples.query.question_oracle import best_answers
from tests.triples.query.test_ranked_join import TEXTS, graphs, orders, questions
from triples.patterns import Variable
from triples.query.answers import Position
from triples.query.batched_join import answered_together
from triples.query.blocks import Fact, TooMany
from triples.query.join_order import join_order
from triples.query.questions import Question


@given(graphs, questions(), st.data(), st.integers(1, 12))
def test_the_first_answers_are_those_of_trying_everything(
    facts: list[Fact], question: Question[int], data: st.DataObject, k: int
) -> None:
    found = answered_together(question, data.draw(orders(question)), MemorySource(facts, TEXTS), k=k)

    expected = best_answers(question, question.selected, facts, TEXTS)
    assert [(answer.terms, answer.weight) for answer in found.answers] == expected[:k]
    assert found.complete_above is None


@given(graphs, questions(), st.data(), st.integers(1, 5))
def test_a_page_begins_behind_the_one_before(
    facts: list[Fact], question: Question[int], data: st.DataObject, size: int
) -> None:
    source, order = MemorySource(facts, TEXTS), data.draw(orders(question))
    first = answered_together(question, order, source, k=size).answers
    after = Position(first[-1].weight, first[-1].terms) if first else None

    second = answered_together(question, order, source, k=size, after=after).answers

    whole = answered_together(question, order, source, k=2 * size).answers
    assert [*first, *second] == whole if first else second == []


@given(graphs, questions())
def test_an_order_has_each_pattern_once_and_is_empty_only_if_nothing_matches(
    facts: list[Fact], question: Question[int]
) -> None:
    order = join_order(question, MemorySource(facts, TEXTS))

    assert sorted(order.places) == list(range(len(question.patterns)))
    if order.is_empty:
        assert best_answers(question, question.selected, facts, TEXTS) == []


def test_a_join_takes_few_statements() -> None:
    x, y, z = map(Variable, "xyz")
    facts = facts_of({(1, 10, number): 0.5 for number in range(100, 300)})
    facts += facts_of({(number, 11, 2 * number): 0.5 for number in range(100, 300)})
    source = MemorySource(facts)

    found = answered_together(Question(((x, 10, y), (y, 11, z))), [0, 1], source, k=5)

    assert len(found.answers) == 5
    assert source.read_blocks == 2


def test_a_join_of_too_many_facts_is_given_up() -> None:
    x, y = map(Variable, "xy")
    facts = facts_of({(number, 10, number + 1): 0.5 for number in range(100)})

    with pytest.raises(TooMany):
        answered_together(Question(((x, 10, y),)), [0], MemorySource(facts), k=5, most=99)


def test_the_selective_pattern_comes_first_and_the_connected_one_next() -> None:
    x, y, z = map(Variable, "xyz")
    facts = facts_of({(number, 10, number + 1000): 0.9 for number in range(1, 300)})
    facts += facts_of({(number + 1000, 11, number + 2000): 0.9 for number in range(1, 300)})
    facts += facts_of({(2007, 12, 5): 0.1})

    order = join_order(Question(((x, 10, y), (y, 11, z), (z, 12, 5))), MemorySource(facts))

    assert order.places == (2, 1, 0)
    assert order.facts == (1, 100, 100)
    assert order.estimates == (1, 1, 1)
