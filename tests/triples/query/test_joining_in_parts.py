"""Joins in parts: the first answers are those of trying everything, whatever is asked and however large the parts."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triples.query.memory_source import MemorySource, facts_of
from tests.triples.query.question_oracle import best_answers
from tests.triples.query.test_ranked_join import TEXTS, assert_facts_match, graphs, orders, questions
from triples.patterns import Variable
from triples.query import blocks, facts_parts, joining_in_parts, parts_join
from triples.query.answers import Position, Ranking
from triples.query.blocks import Fact, OutOfTime, TooMany
from triples.query.counting import count_groups
from triples.query.filters import Filter
from triples.query.join_order import join_order
from triples.query.joining_in_parts import FIRST, OnlyTies, joined_in_parts
from triples.query.lookups import Between, JoinedRow, Lookup, OfWeight, Part, Terms
from triples.query.parts_join import PartsJoin
from triples.query.questions import Question
from triples.query.ranked_join import ranked

firsts = st.integers(1, 4)
# With 1, no part is wide; with the last, nearly all are.
wides = st.sampled_from([1, 3, 24])


def in_parts(
    question: Question[int],
    order: Sequence[int],
    source: MemorySource,
    *,
    k: int,
    after: Position | None = None,
    first: int = FIRST,
    wide: int = joining_in_parts.WIDE,
) -> Ranking:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(joining_in_parts, "WIDE", wide)
        join = PartsJoin(question, order, source, k, after, lambda: False)
        return joined_in_parts(join, len(source.facts), first=first)


@pytest.mark.usefixtures("small_blocks")
@given(graphs, questions(), st.data(), st.integers(1, 12), firsts)
def test_the_first_answers_are_those_of_trying_everything(
    facts: list[Fact], question: Question[int], data: st.DataObject, k: int, first: int
) -> None:
    source = MemorySource(facts, TEXTS)

    found = in_parts(question, data.draw(orders(question)), source, k=k, first=first, wide=data.draw(wides))

    expected = best_answers(question, question.selected, facts, TEXTS)
    assert [(answer.terms, answer.weight) for answer in found.answers] == expected[:k]
    assert found.complete_above is None
    assert found.total in (None, len(expected))


@pytest.mark.usefixtures("small_blocks")
@given(graphs, questions(), st.data(), st.integers(1, 5), firsts)
def test_a_page_begins_behind_the_one_before(
    facts: list[Fact], question: Question[int], data: st.DataObject, size: int, first: int
) -> None:
    source, order, wide = MemorySource(facts, TEXTS), data.draw(orders(question)), data.draw(wides)
    page = in_parts(question, order, source, k=size, first=first, wide=wide).answers
    after = Position(page[-1].weight, page[-1].terms) if page else None

    next_page = in_parts(question, order, source, k=size, after=after, first=first, wide=wide).answers

    whole = in_parts(question, order, source, k=2 * size).answers
    expected = [(answer.terms, answer.weight) for answer in whole]
    assert [(one.terms, one.weight) for one in [*page, *next_page]] == expected if page else next_page == []


@pytest.mark.usefixtures("small_blocks")
@given(graphs, questions(), st.data(), st.integers(0, 12), st.integers(1, 30))
def test_when_time_is_over_the_answers_are_an_exact_prefix(
    facts: list[Fact], question: Question[int], data: st.DataObject, reads: int, k: int
) -> None:
    source = MemorySource(facts, TEXTS, reads)

    found = in_parts(question, data.draw(orders(question)), source, k=k, first=1, wide=data.draw(wides))

    expected = best_answers(question, question.selected, facts, TEXTS)
    answers = [(answer.terms, answer.weight) for answer in found.answers]
    assert answers == expected[: len(answers)]
    if found.complete_above is None:
        assert answers == expected[:k]
    else:
        assert len(answers) >= min(k, sum(weight > found.complete_above for _, weight in expected))


def test_with_enough_ties_it_is_left_to_the_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining_in_parts, "_MANY", 10)
    monkeypatch.setattr(facts_parts, "SMALLEST", 1)
    x, y, z = map(Variable, "xyz")
    facts = facts_of({(number, 10, 500): 1.0 for number in range(1, 40)} | {(500, 11, 600): 1.0, (500, 11, 601): 0.5})
    question = Question(((x, 10, y), (y, 11, z)))

    def join(k: int) -> PartsJoin:
        return PartsJoin(question, [0, 1], MemorySource(facts), k, None, lambda: False)

    with pytest.raises(OnlyTies):
        joined_in_parts(join(3), 39, first=4, by_term=39)
    # Too few are left to be worth another way, or lighter ones are wanted, too.
    assert len(joined_in_parts(join(3), 39, first=32, by_term=39).answers) == 3
    assert len(joined_in_parts(join(50), 39, first=4, by_term=39).answers) == 50


@given(graphs, questions(), st.data())
def test_the_facts_of_an_answer_match_the_patterns_and_make_up_its_weight(
    facts: list[Fact], question: Question[int], data: st.DataObject
) -> None:
    answers = in_parts(question, data.draw(orders(question)), MemorySource(facts, TEXTS), k=20).answers

    assert_facts_match(question, answers)


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

    found = in_parts(Question(((x, 10, y), (y, 11, z))), [0, 1], source, k=5)

    assert len(found.answers) == 5
    assert source.read_blocks == 2


def test_time_runs_out_while_filters_are_looked_at() -> None:
    x, y = map(Variable, "xy")
    facts = facts_of({(number, 10, 5_000 + number): 0.5 for number in range(1, 400)})
    source = MemorySource(facts, {term: str(term) for fact in facts for term in fact.key})
    question = Question(((x, 10, y),), filters=(Filter(x, "!=", y),))
    # The block and the texts are read in time.
    times = iter([False, False])

    found = joined_in_parts(PartsJoin(question, [0], source, 5, None, lambda: next(times, True)), 400)

    assert found.complete_above == 1.0


def test_a_search_that_keeps_too_much_ends_with_what_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MOST_KEPT", 2_000)
    x, y, z = map(Variable, "xyz")
    facts = facts_of({(number, 10, 5_000): 1 - number / 1_000 for number in range(1, 500)})
    question = Question(((x, 10, y), (z, 10, y)))

    few, many = (ranked(question, [0, 1], MemorySource(facts), k=k) for k in (5, 50_000))
    assert (len(few.answers), few.complete_above) == (5, None)
    assert many.complete_above is not None
    assert len(many.answers) > 5
    expected = ranked(question, [0, 1], MemorySource(facts), k=len(few.answers)).answers
    assert many.answers[:5] == expected
    with pytest.raises(OutOfTime):
        count_groups(Question(question.patterns, group_by=(x, z)), [0, 1], MemorySource(facts))


def test_a_join_of_too_many_rows_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_join, "MOST", 99)
    x, y, z = map(Variable, "xyz")
    facts = facts_of({(number, 10, 5): 0.5 for number in range(10)})

    with pytest.raises(TooMany):
        in_parts(Question(((x, 10, y), (z, 10, y))), [0, 1], MemorySource(facts), k=5)


def test_a_later_part_of_too_many_rows_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_join, "MOST", 1_000)
    x, y, z = map(Variable, "xyz")
    alone = {(number, 10, 500 + number): 1.0 for number in range(100)}
    joined = {(100 + number, 10, 700): 1.0 for number in range(100)}
    facts = facts_of(alone | joined | {(700, 11, 800 + number): 1.0 for number in range(30)})

    found = in_parts(Question(((x, 10, y), (y, 11, z))), [0, 1], MemorySource(facts), k=5, first=100)

    assert [answer.terms for answer in found.answers] == [(100, 700, 800 + number) for number in range(5)]


def test_lighter_parts_are_not_read() -> None:
    x, y, z = map(Variable, "xyz")
    facts = facts_of({(number, 10, 5000 + number): 1 - number / 10_000 for number in range(5_000)})
    facts += facts_of({(5000 + number, 11, number): 1.0 for number in range(5_000)})
    source = MemorySource(facts)

    found = in_parts(Question(((x, 10, y), (y, 11, z))), [0, 1], source, k=10, first=64)

    assert [answer.terms[0] for answer in found.answers] == list(range(10))
    assert source.read_facts < 500


def test_the_selective_pattern_comes_first_and_the_connected_one_next() -> None:
    x, y, z = map(Variable, "xyz")
    facts = facts_of({(number, 10, number + 1000): 0.9 for number in range(1, 300)})
    facts += facts_of({(number + 1000, 11, number + 2000): 0.9 for number in range(1, 300)})
    facts += facts_of({(2007, 12, 5): 0.1})

    order = join_order(Question(((x, 10, y), (y, 11, z), (z, 12, 5))), MemorySource(facts))

    assert order.places == (2, 1, 0)
    assert order.facts == (1, 100, 100)
    assert order.estimates == (1, 1, 1)


def test_what_the_sample_does_not_meet_is_not_taken_for_nothing() -> None:
    x, y, z, w = map(Variable, "xyzw")
    facts = facts_of({(number, 10, number + 1_000): 0.9 for number in range(1, 200)})
    facts += facts_of({(number + 5_000, 11, 7_000): 0.9 for number in range(400)})
    facts += facts_of({(number + 6_000, 12, number + 8_000): 0.9 for number in range(500)})

    order = join_order(Question(((x, 10, y), (z, 11, y), (w, 12, x))), MemorySource(facts))

    # Of the fewer facts of the other one, very many are about the same term.
    assert order.places == (0, 2, 1)
    assert 0 < order.estimates[1] < order.estimates[0]


def test_facts_of_one_term_that_were_added_together_do_not_stand_for_all() -> None:
    x, y, z = map(Variable, "xyz")
    # Nothing follows the first facts, and very many facts follow most of the others.
    facts = {(1, 10, number + 1_000): 1.0 for number in range(40)}
    facts |= {(number + 100, 10, 2_000): 1.0 for number in range(160)}
    facts |= {(2_000, 11, number + 3_000): 1.0 for number in range(400)}

    order = join_order(Question(((x, 10, y), (y, 11, z))), MemorySource(facts_of(facts)))

    assert order.estimates[0] == 200
    assert order.estimates[1] > 10_000


class _PartsTaken(MemorySource):
    """Remembers by which columns the parts were read."""

    def __init__(self, facts: list[Fact]) -> None:
        super().__init__(facts)
        self.by_column: list[int | None] = []

    def joined(
        self, lookups: Sequence[Lookup], given: Sequence[Terms] | Part, least: Sequence[float], limit: int
    ) -> Sequence[JoinedRow]:
        if isinstance(given, Between | OfWeight):
            self.by_column.append(given.by_column)
        return super().joined(lookups, given, least, limit)


@pytest.mark.parametrize(("light", "read"), [(0.5, 1), (0.1, 2)])
def test_a_guess_of_what_the_wanted_weigh_saves_lighter_facts_or_is_taken_back(light: float, read: int) -> None:
    x, y, z = map(Variable, "xyz")
    facts = facts_of({(number, 10, number + 10_000): 1.0 if number <= 2_000 else light for number in range(1, 8_000)})
    # As many as the first part lets expect are there, or none besides its own.
    met = range(100, 8_000, 100) if read == 1 else [100, *range(7_000, 7_010)]
    facts += facts_of({(number + 10_000, 11, 20_000): 1.0 for number in met})
    source = _PartsTaken(facts)

    found = joined_in_parts(
        PartsJoin(Question(((x, 10, y), (y, 11, z))), [0, 1], source, 8, None, lambda: False), 8_000
    )

    assert [answer.terms[0] for answer in found.answers] == list(met)[:8]
    assert source.by_column == [None] + [2] * read


@pytest.mark.parametrize("column", [0, 2])
def test_where_few_facts_are_joined_the_others_are_passed_over_in_an_index(column: int) -> None:
    x, y, z = map(Variable, "xyz")
    facts = facts_of({(number, 10, number + 10_000): 1 - number / 10_000 for number in range(1, 5_000)})
    facts += facts_of({(number + 5_000 * column, 11, 20_000): 0.9 for number in range(50, 5_000, 500)})
    source = _PartsTaken(facts)
    patterns = ((x, 10, y), (y if column else x, 11, z))

    found = joined_in_parts(PartsJoin(Question(patterns), [0, 1], source, 5, None, lambda: False), 5_000)

    assert [answer.terms[0] for answer in found.answers] == [50, 550, 1_050, 1_550, 2_050]
    assert source.by_column[0] is None
    assert column in source.by_column
