"""Text for people's eyes: nothing in it steers a terminal or turns the direction of the text around it."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triples.visible import visible, visible_json, visible_lines

# All that have the property Bidi_Control.
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\u202eb", "a\\u202eb"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b31m", "\\x9b31m"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("a\u2028b", "a\\u2028b"),
        ("\ufeffa\u200b", "\\ufeffa\\u200b"),
        ("\udcff", "\\udcff"),
        # Letters that run from right to left are as they are, and so is what joins letters and pictures.
        ("שלום مرحبا", "שלום مرحبا"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("東京\u3000駅", "東京\u3000駅"),
        ("a\xa0b", "a\xa0b"),
    ],
)
def test_what_cannot_be_seen_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lines_stay_lines() -> None:
    assert visible_lines("a\n\tb\r\u202e\x1b") == "a\n\tb\\r\\u202e\\x1b"


@given(st.text(st.one_of(st.characters(), st.sampled_from(DIRECTIONS))))
def test_no_control_is_left(text: str) -> None:
    for shown in (visible(text), visible_lines(text).replace("\n", "").replace("\t", "")):
        assert not {"Cc", "Cs", "Zl", "Zp"}.intersection(map(unicodedata.category, shown))
        assert not set(DIRECTIONS).intersection(shown)


@given(st.recursive(st.text(st.characters(codec="utf-8")), lambda inner: st.dictionaries(st.text(DIRECTIONS), inner)))
def test_json_says_the_same(content: object) -> None:
    for indent in (None, 2):
        shown = visible_json(json.dumps(content, ensure_ascii=False, indent=indent))
        assert json.loads(shown) == content
        assert not set(DIRECTIONS).intersection(shown)
