"""Counts by the database: those of trying everything, or none where rows are no answers."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.properties import examples
from tests.triples.query.memory_source import MemorySource, facts_of
from tests.triples.query.question_oracle import best_answers
from tests.triples.query.test_ranked_join import TEXTS, orders
from triples.patterns import Variable, variables
from triples.query import counting_in_parts, facts_parts
from triples.query.blocks import Fact, OutOfTime
from triples.query.counting import count_groups
from triples.query.counting_in_parts import count_in_parts, groups_in_parts
from triples.query.parts_join import PartsJoin
from triples.query.questions import Question

X, Y, Z = map(Variable, "xyz")

# With few terms, rows that give the same answer are frequent.
weights = st.sampled_from([0.0, 0.25, 0.5, 1.0])
dense = st.dictionaries(st.tuples(*[st.integers(1, number) for number in (3, 2, 3)]), weights, min_size=1).map(facts_of)
near = st.tuples(st.sampled_from([X, Y, None]), st.sampled_from([1, 2, Z, None]), st.sampled_from([X, Y, Z, None]))
plain = st.builds(
    Question,
    st.lists(near, min_size=1, max_size=3).map(tuple),
    min_weight=st.sampled_from([0.0, 0.1, 0.25, 1.0]),
)


@pytest.mark.usefixtures("small_blocks")
@settings(max_examples=examples(2))
@given(dense, plain, st.data(), st.integers(1, 20), st.integers(1, 4))
def test_counts_are_those_of_trying_everything(
    facts: list[Fact], question: Question[int], data: st.DataObject, limit: int, first: int
) -> None:
    source = MemorySource(facts, TEXTS)
    join = PartsJoin(question, data.draw(orders(question)), source, 1, None, lambda: False)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(counting_in_parts, "_FIRST", first)
        patched.setattr(facts_parts, "LARGEST", 2 * first)
        found = count_in_parts(join, limit)

    expected = best_answers(question, question.selected, facts, TEXTS)
    assert found in (None, min(len(expected), limit + 1))


@pytest.mark.usefixtures("small_blocks")
@settings(max_examples=examples(2))
@given(dense, plain, st.data(), st.integers(1, 4))
def test_groups_are_those_of_looking_at_every_answer(
    facts: list[Fact], question: Question[int], data: st.DataObject, first: int
) -> None:
    some = st.lists(st.sampled_from(variables(question.patterns) or (X,)), min_size=1, max_size=2, unique=True)
    if not question.bound:
        return
    question = replace(question, group_by=tuple(data.draw(some)), select=data.draw(st.none() | some.map(tuple)))
    order, source = data.draw(orders(question)), MemorySource(facts, TEXTS)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(counting_in_parts, "_FIRST", first)
        patched.setattr(facts_parts, "LARGEST", 2 * first)
        found = groups_in_parts(question, order, source, lambda: False)

    assert found is None or sorted(found) == sorted(count_groups(question, order, source))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (Question(((X, 1, Y),), group_by=(Y,)), [(2, 1, 0.5), (3, 2, 1.0)]),
        (Question(((X, 1, Y), (Y, 2, Z)), group_by=(Z,)), [(5, 2, 0.25)]),
        # Both ways to 5 are one answer.
        (Question(((X, 1, Y), (Y, 2, Z)), group_by=(Z,), select=(Y,)), [(5, 1, 0.25)]),
        (Question(((X, None, Y),), group_by=(X,)), [(1, 2, 0.75), (2, 1, 1.0), (3, 2, 0.25)]),
        (Question(((X, 1, Y),), group_by=(Y,), min_weight=0.6), [(3, 2, 1.0)]),
        (Question(((X, 1, Y),), group_by=(Y,), min_weight=1e-320), [(2, 1, 0.5), (3, 2, 1.0)]),
        # No product of such weights is a number.
        (Question(((X, 1, Y), (Y, 3, Z)), group_by=(Z,)), None),
        (Question(((X, 1, Y),), group_by=(Y,), absent=((Y, 1, X),)), None),
        (Question(((X, 1, Y),), group_by=(Z,), optional=(((Y, 1, Z),),)), None),
    ],
)
def test_rows_are_put_into_groups(question: Question[int], expected: list[tuple[int, int, float]] | None) -> None:
    facts = {(1, 1, 2): 0.5, (1, 1, 3): 0.75, (2, 1, 3): 1.0, (3, 2, 5): 0.25, (3, 3, 1): 5e-324}
    source = MemorySource(facts_of(facts), TEXTS)
    found = groups_in_parts(question, range(len(question.patterns)), source, lambda: False)
    counts = None if found is None else sorted((group.terms[0], group.answers, group.weight) for group in found)
    assert counts == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (Question(((X, 1, Y), (Y, 1, Z))), 2),
        (Question(((X, 1, Y), (Y, 2, Z))), 1),
        (Question(((X, 2, Y), (Y, 1, Z))), 0),
        (Question(((X, X, Y),)), 1),
        (Question(((1, 1, 2),)), 1),
        (Question(((X, 1, Y), (Y, 1, Z)), select=(X,)), None),
        (Question(((X, 1, None),)), None),
        (Question(((X, 1, Y),), min_weight=0.6), None),
        (Question(((X, 1, Y),), min_weight=0.5), None),
        (Question(((X, 1, Y),), min_weight=0.4), 3),
        (Question(((X, 1, Y),), optional=(((Y, 1, Z),),)), 3),
        (Question(((X, 1, Y),), optional=(((Y, 1, Z),),), select=(X, Y, Z)), None),
        (Question(((X, 1, Y),), absent=((Y, 1, X),)), None),
    ],
)
def test_rows_are_counted_where_they_are_answers(question: Question[int], expected: int | None) -> None:
    source = MemorySource(facts_of({(1, 1, 2): 0.5, (2, 1, 3): 1.0, (3, 1, 4): 0.75, (4, 2, 5): 0.1}), TEXTS)
    join = PartsJoin(question, range(len(question.patterns)), source, 1, None, lambda: False)
    assert count_in_parts(join, 10) == expected


def test_when_time_is_over_nothing_is_counted() -> None:
    source = MemorySource(facts_of({(1, 1, 2): 0.5}), TEXTS)
    with pytest.raises(OutOfTime):
        count_in_parts(PartsJoin(Question(((X, 1, Y),)), [0], source, 1, None, lambda: True), 10)
