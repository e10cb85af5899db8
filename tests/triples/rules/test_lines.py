"""Patterns as lines of text: what is written is read back, whatever the terms are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triples.recursion.rules import RuleError
from triples.rules.lines import read_line, write_line


@pytest.mark.parametrize(
    ("line", "places"),
    [
        ("?x parent_of ?y", ["?x", "parent_of", "?y"]),
        ("  ?x \t is-a   dog.n.01 ", ["?x", "is-a", "dog.n.01"]),
        ('?x "lives in" "New York"', ["?x", "lives in", "New York"]),
        ('?x p "?why"', ["?x", "p", {"term": "?why"}]),
        (r'?x p "say \"hi\" \\ bye"', ["?x", "p", 'say "hi" \\ bye']),
        ('?x p 5"', ["?x", "p", '5"']),
        ("?x p Rubik's", ["?x", "p", "Rubik's"]),
        ("a,b", ["a,b"]),
        ('""', [""]),
        ("", []),
    ],
)
def test_a_line_is_read_as_its_places(line: str, places: list[Any]) -> None:
    assert read_line(line) == places


@pytest.mark.parametrize("line", ['?x p "New York', '?x p "a"b', '"', '?x p "a\\"'])
def test_a_quotation_must_end(line: str) -> None:
    with pytest.raises(RuleError, match="a quotation must end"):
        read_line(line)


terms = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).map(str.strip).filter(bool)
places = st.one_of(
    terms.map(lambda text: {"term": text} if text.startswith("?") else text), st.sampled_from(["?x", "?y"])
)


@given(st.lists(places, max_size=4))
def test_what_is_written_is_read_back(given_places: list[Any]) -> None:
    assert read_line(write_line(given_places)) == given_places
