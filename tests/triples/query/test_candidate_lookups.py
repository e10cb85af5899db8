"""The index is asked for candidates as seldom as it can be, and what is remembered stands for its answer."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from triples.query.candidate_lookups import Remembered
from triples.store.term_index import Found

GRAMS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True)
TERMS = st.lists(st.text("abcdef", min_size=1, max_size=6), max_size=30)
QUESTIONS = st.lists(st.tuples(GRAMS, st.integers(1, 10)), min_size=1, max_size=12)


def having(terms: Sequence[Found], grams: Sequence[str], most: int) -> list[Found]:
    return [(id_, text) for id_, text in terms if all(gram in text for gram in grams)][:most]


@given(TERMS, QUESTIONS)
def test_what_is_remembered_has_all_that_the_index_would_answer(
    texts: list[str], questions: list[tuple[list[str], int]]
) -> None:
    terms = list(enumerate(texts))
    remembered = Remembered(lambda grams, most: having(terms, grams, most))
    for grams, most in questions:
        answer = remembered(grams, most)
        assert len(answer) <= most
        expected = having(terms, grams, most)
        assert set(expected) <= set(answer)
        assert len(answer) < most or len(expected) == most


@given(TERMS, QUESTIONS)
def test_under_a_condition_only_the_same_question_is_not_asked_again(
    texts: list[str], questions: list[tuple[list[str], int]]
) -> None:
    terms = list(enumerate(texts))
    asked: list[tuple[frozenset[str], int]] = []

    def candidates(grams: Sequence[str], most: int) -> list[Found]:
        asked.append((frozenset(grams), most))
        return having(terms, grams, most)

    remembered = Remembered(candidates, all_terms=False)
    for grams, most in questions:
        assert remembered(grams, most) == having(terms, grams, most)
    assert len(set(asked)) == len(asked)


def test_of_terms_that_are_all_known_those_with_more_trigrams_are_not_asked_for() -> None:
    asked: list[Sequence[str]] = []

    def candidates(grams: Sequence[str], most: int) -> list[Found]:
        asked.append(grams)
        return having([(1, "abc"), (2, "ab")], grams, most)

    remembered = Remembered(candidates)
    assert remembered(["a", "b"], 3) == remembered(["a", "b", "c"], 3) == [(1, "abc"), (2, "ab")]
    assert asked == [["a", "b"]]
