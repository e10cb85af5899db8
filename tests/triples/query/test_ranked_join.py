"""Answers to several patterns: the heaviest first, exactly, whatever the order in which the patterns are joined."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.properties import examples
from tests.triples.query.memory_source import MemorySource, facts_of
from tests.triples.query.question_oracle import best_answers
from triples.patterns import Variable, variables
from triples.query.answers import Answer, GroupCount, Position, Ranking
from triples.query.blocks import Fact, OutOfTime
from triples.query.counting import count_answers, count_groups
from triples.query.filters import OPERATORS, Filter
from triples.query.questions import AskedPattern, Question
from triples.query.ranked_join import ranked

# So few terms that different proofs, ties and nulls are the rule.
TERMS = range(1, 6)
TEXTS = {1: "1", 2: "1.0", 3: "Newton", 4: "2001-02-03", 5: "new"}
VARIABLES = [Variable(name) for name in "abcd"]

weights = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 0.1, 0.3, 0.7, 1e-200, 3e-162]) | st.floats(0.01, 1.0)
# Most facts have one of two predicates, else nearly nothing joins.
keys = st.tuples(st.sampled_from(TERMS), st.sampled_from([1, 1, 1, 2, 2, 3, 4, 5]), st.sampled_from(TERMS))
graphs = st.dictionaries(keys, weights, max_size=25).map(facts_of)
ends = st.sampled_from([*VARIABLES * 4, None, *TERMS, 0])
middles = st.sampled_from([*VARIABLES, None, None, None, 1, 1, 1, 2, 2, 3])
patterns: st.SearchStrategy[AskedPattern[int]] = st.tuples(ends, middles, ends)


@st.composite
def questions(draw: st.DrawFn) -> Question[int]:
    required = tuple(draw(st.lists(patterns, min_size=1, max_size=3)))
    optional = tuple(tuple(group) for group in draw(st.lists(st.lists(patterns, min_size=1, max_size=2), max_size=2)))
    absent = tuple(draw(st.lists(patterns, max_size=1)))
    bound = variables([*required, *(pattern for group in optional for pattern in group)])
    select = None
    filters: list[Filter] = []
    if bound:
        one = st.sampled_from(bound)
        select = draw(st.none() | st.permutations(bound).map(tuple) | st.lists(one, max_size=3, unique=True).map(tuple))
        for operation in draw(st.lists(st.sampled_from(OPERATORS), max_size=1)):
            value = st.sampled_from(sorted(TEXTS.values()))
            right: str | Variable = draw(value | one)
            filters.append(Filter(draw(one), operation, (draw(value),) if operation == "in" else right))
    least = draw(st.sampled_from([0.0, 0.2, 0.5]))
    return Question(required, optional, absent, tuple(filters), select, min_weight=least)


def orders(question: Question[int]) -> st.SearchStrategy[list[int]]:
    return st.permutations(range(len(question.patterns)))


@pytest.mark.usefixtures("small_blocks")
@given(graphs, questions(), st.data(), st.integers(1, 12))
def test_the_first_answers_are_those_of_trying_everything(
    facts: list[Fact], question: Question[int], data: st.DataObject, k: int
) -> None:
    found = ranked(question, data.draw(orders(question)), MemorySource(facts, TEXTS), k=k)

    expected = best_answers(question, question.selected, facts, TEXTS)
    assert [(answer.terms, answer.weight) for answer in found.answers] == expected[:k]
    assert found.complete_above is None


@pytest.mark.usefixtures("small_blocks")
@given(graphs, questions(), st.data(), st.integers(1, 4))
def test_pages_are_the_whole_in_parts(
    facts: list[Fact], question: Question[int], data: st.DataObject, size: int
) -> None:
    source = MemorySource(facts, TEXTS)
    whole = ranked(question, data.draw(orders(question)), source, k=10_000).answers[: 5 * size]

    pages: list[tuple[tuple[int, ...], float]] = []
    after = None
    for _ in range(5):
        page = ranked(question, data.draw(orders(question)), source, k=size, after=after).answers
        pages += [(answer.terms, answer.weight) for answer in page]
        if page:
            after = Position(page[-1].weight, page[-1].terms)

    assert pages == [(answer.terms, answer.weight) for answer in whole]


@pytest.mark.usefixtures("small_blocks")
@given(graphs, questions(), st.data(), st.integers(0, 30))
def test_when_time_is_over_the_answers_are_an_exact_prefix(
    facts: list[Fact], question: Question[int], data: st.DataObject, reads: int
) -> None:
    found = ranked(question, data.draw(orders(question)), MemorySource(facts, TEXTS, reads), k=10_000)

    expected = best_answers(question, question.selected, facts, TEXTS)
    answers = [(answer.terms, answer.weight) for answer in found.answers]
    assert answers == expected[: len(answers)]
    if found.complete_above is None:
        assert answers == expected
    else:
        assert len(answers) >= sum(weight > found.complete_above for _, weight in expected)


@given(graphs, questions(), st.data())
def test_the_facts_of_an_answer_match_the_patterns_and_make_up_its_weight(
    facts: list[Fact], question: Question[int], data: st.DataObject
) -> None:
    answers = ranked(question, data.draw(orders(question)), MemorySource(facts, TEXTS), k=20).answers

    assert_facts_match(question, answers)


def assert_facts_match(question: Question[int], answers: Sequence[Answer]) -> None:
    for answer in answers:
        bound = dict(zip(question.selected, answer.terms, strict=True))
        assert prod(fact.weight for fact in answer.facts) == answer.weight
        for pattern, fact in zip(question.patterns, answer.facts, strict=True):
            for place, term in zip(pattern, fact.key, strict=True):
                wanted = bound.setdefault(place, term) if isinstance(place, Variable) else place
                assert wanted in (None, term)


@pytest.mark.usefixtures("small_blocks")
@settings(max_examples=examples(0.6))
@given(graphs, questions(), st.data(), st.integers(1, 20))
def test_counts_are_those_of_trying_everything(
    facts: list[Fact], question: Question[int], data: st.DataObject, limit: int
) -> None:
    found = count_answers(question, data.draw(orders(question)), MemorySource(facts, TEXTS), limit=limit)

    assert found == min(len(best_answers(question, question.selected, facts, TEXTS)), limit + 1)


@pytest.mark.usefixtures("small_blocks")
@settings(max_examples=examples(0.6))
@given(graphs, questions(), st.data())
def test_groups_are_those_of_trying_everything(facts: list[Fact], question: Question[int], data: st.DataObject) -> None:
    bound = sorted(question.bound)
    group_by = tuple(data.draw(st.lists(st.sampled_from(bound), min_size=1, max_size=2, unique=True))) if bound else ()
    question = replace(question, group_by=group_by)

    found = count_groups(question, data.draw(orders(question)), MemorySource(facts, TEXTS))

    answers = best_answers(question, (*group_by, *question.selected), facts, TEXTS)
    counts = Counter(terms[: len(group_by)] for terms, _ in answers)
    heaviest = {terms[: len(group_by)]: weight for terms, weight in reversed(answers)}
    expected = [GroupCount(terms, count, heaviest[terms]) for terms, count in counts.items()]
    assert sorted(found) == sorted(expected)


def test_the_first_answers_read_only_the_heaviest_facts() -> None:
    chance = random.Random(1)
    facts = facts_of({(number, 1, number % 500 + 5000): chance.random() for number in range(1, 5000)})
    facts += facts_of({(number + 5000, 2, number % 50 + 10000): chance.random() for number in range(500)})
    x, y, z = map(Variable, "xyz")
    source = MemorySource(facts)

    found = ranked(Question(((x, 1, y), (y, 2, z))), [0, 1], source, k=10)

    assert len(found.answers) == 10
    assert source.read_facts < 1000


def test_where_all_weights_tie_only_the_first_pattern_is_read_in_full() -> None:
    facts = facts_of({(number, 1, number % 50 + 5000): 1.0 for number in range(1, 1001)})
    facts += facts_of({(number % 50 + 5000, 2, number + 10_000): 1.0 for number in range(1000)})
    x, y, z = map(Variable, "xyz")
    source = MemorySource(facts)

    found = ranked(Question(((x, 1, y), (y, 2, z))), [0, 1], source, k=3)

    assert [answer.terms for answer in found.answers] == [(1, 5001, 10_001), (1, 5001, 10_051), (1, 5001, 10_101)]
    assert source.read_facts < 1100


def test_of_facts_that_weigh_the_same_one_is_enough_to_show_an_answer() -> None:
    facts = facts_of({(number, 1, 5000): 1.0 for number in range(1, 1001)})
    facts += facts_of({(5000, 2, number): 1.0 for number in range(3)})
    x = Variable("x")
    for patterns, terms in (((None, None, None),), [()]), (((5000, 2, x), (None, 1, None)), [(0,), (1,), (2,)]):
        source = MemorySource(facts)
        found = ranked(Question(patterns), range(len(patterns)), source, k=10)
        assert [answer.terms for answer in found.answers] == terms
        assert source.read_facts < 50


def test_a_term_that_is_not_known_is_not_asked_for() -> None:
    x = Variable("x")
    source = MemorySource(facts_of({(1, 2, 3): 1.0}))

    assert ranked(Question(((x, 0, 3),)), [0], source, k=1).answers == []
    assert source.read_blocks == 0


def test_only_optional_groups_that_change_answers_are_read() -> None:
    x, y = map(Variable, "xy")
    source = MemorySource(facts_of({(1, 2, 3): 1.0, (3, 4, 5): 1.0}))

    answers = ranked(Question(((1, 2, x),), optional=(((x, 4, y),),)), [0], source, k=5).answers

    assert [answer.terms for answer in answers] == [(3,)]
    assert source.read_blocks == 1


def test_without_any_time_nothing_is_known() -> None:
    x = Variable("x")
    question = Question(((x, 2, 3),))
    source = MemorySource(facts_of({(1, 2, 3): 1.0}))

    assert ranked(question, [0], source, k=1, expired=lambda: True) == Ranking([], 1.0)
    with pytest.raises(OutOfTime):
        count_answers(question, [0], source, limit=10, expired=lambda: True)
