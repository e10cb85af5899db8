"""Folding: what does not matter to somebody who looks for a name is gone, what does matter stays."""

from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from triples import folding
from triples.folding import END, START, fold, indexed_form, trigrams

SAME = {
    "case": ["Einstein", "EINSTEIN", "einstein"],
    "accents": ["Malmö", "MALMO\u0308", "malmo"],
    "two accents": ["Nguyễn", "nguyen"],
    "strokes": ["Łódź", "lodz"],
    "ligatures": ["Œuvre", "oeuvre"],
    "sharp s": ["Straße", "STRASSE", "strasse"],
    "turkish": ["İstanbul", "\u0131stanbul", "istanbul"],
    "greek": ["Σωκράτης", "ΣΩΚΡΆΤΗΣ", "σωκρατησ"],
    "cyrillic": ["Ёлка", "елка"],
    "width": ["Ｔｏｋｙｏ", "tokyo"],
    "half-width katakana": ["ﾄｳｷｮｳ", "トウキョウ"],
    "korean in parts": ["\u1112\u1161\u11ab", "\ud55c"],
    "arabic points": ["مُحَمَّد", "محمد"],
    "hebrew points": ["שָׁלוֹם", "שלום"],
    "emoji with and without its style": ["❤\ufe0f", "❤"],
    "what takes no place": ["a\u200bb\u00adc", "abc"],
}
DIFFERENT = {
    "japanese voiced sounds": ["か", "が"],
    "indic vowels": ["क", "की", "कु"],
    "thai tones": ["มา", "ม้า"],
    "emoji": ["😀", "😁"],
    "punctuation": ["C", "C++", "C#"],
    "korean syllables": ["한", "하"],
}
# What folding leaves nothing of stays as it is.
ALONE = ["\u0301", "\u200b", "\ufe0f\u0301"]


@pytest.mark.parametrize("texts", SAME.values(), ids=SAME)
def test_what_does_not_matter_is_gone(texts: list[str]) -> None:
    assert len({fold(text) for text in texts}) == 1


@pytest.mark.parametrize("texts", DIFFERENT.values(), ids=DIFFERENT)
def test_what_matters_stays(texts: list[str]) -> None:
    assert len({fold(text) for text in texts}) == len(texts)


@pytest.mark.parametrize("text", ALONE, ids=ascii)
def test_a_text_is_never_folded_away(text: str) -> None:
    assert fold(text) == text


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12))
@example("\u0130")
@example("\u1e9e\u0345")
def test_what_is_folded_stays_the_same(text: str) -> None:
    folded = fold(text)
    assert folded
    assert fold(folded) == folded
    assert START[0] not in folded
    assert END not in folded


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12))
@example("\u0327\u0345\u0301a")
@example("e\u0323\u0302")
def test_characters_folded_one_by_one_are_those_of_the_whole_text(text: str) -> None:
    def without(marked: str) -> str:
        return folding._DROPPED.sub("", marked)

    plain = without(without(normalize("NFKD", text)).casefold().translate(folding._PLAIN))
    assert fold(text) == (normalize("NFC", plain).strip() or text)


def test_the_shortest_text_has_trigrams_of_its_beginning_and_its_end() -> None:
    assert trigrams(indexed_form("D")) == ["\x02\x02d", "\x02d\x03"]


def test_a_trigram_is_told_once() -> None:
    assert trigrams("aaaaa") == ["aaa"]
