"""Every text that a typo makes of a short one leads back to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from triples.query.one_typo import LONGEST, MOST_LETTERS, meant

LETTERS = "etaoinshrdlucmfwypvbgkqjxz0123456789"
RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
WORDS = st.text(st.sampled_from(LETTERS), min_size=3, max_size=LONGEST - 1)


def with_typo(word: str, kind: str, place: int, letter: str) -> str:
    place %= len(word) - (kind == "swapped")
    before, after = word[:place], word[place:]
    return {
        "missing": before + after[1:],
        "added": before + letter + after,
        "changed": before + letter + after[1:],
        "swapped": before + after[1:2] + after[:1] + after[2:],
    }[kind]


@given(WORDS, st.sampled_from(["missing", "added", "changed", "swapped"]), st.integers(0, 7), st.sampled_from(LETTERS))
def test_whatever_the_typo_is_the_word_is_among_those_that_may_be_meant(
    word: str, kind: str, place: int, letter: str
) -> None:
    typed = with_typo(word, kind, place, letter)
    found = meant(typed, LETTERS)
    # Two letters lack a third one, and are no others: those may as well mean another word.
    assert word in found or typed == word
    assert word.capitalize() in found or typed == word
    assert len(found) == len(set(found))
    assert all(OSA.distance(typed, other.lower()) == 1 for other in found if other.lower() != typed)


@pytest.mark.parametrize(
    ("typed", "word"), [("кт", "кот"), ("кит", "кот"), ("c+", "c++"), ("a1", "a12"), ("DG", "DOG"), ("mcdon", "McDon")]
)
def test_letters_are_those_of_the_script_that_was_typed(typed: str, word: str) -> None:
    found = meant(typed, LETTERS + RUSSIAN + "+")
    assert word.casefold() in map(str.casefold, found)


def test_their_number_has_a_bound() -> None:
    assert meant("a", LETTERS) == meant("a" * (LONGEST + 1), LETTERS) == []
    many = [chr(code) for code in range(0x4E00, 0x9FFF)]
    assert len(meant("東京都", many)) <= 7 * MOST_LETTERS + 5
    assert len(meant("abcdefgh", LETTERS)) < 2_500
