"""Texts by columns: the same terms as text by text, or the same fault."""

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from triples.exchange import term_columns
from triples.exchange.term_columns import clean_terms
from triples.fact_validation import LONGEST_TERM, clean_text
from triples.text import TermError, clean_guide_term

PLAIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


def outcome(texts: list[str], *, by_columns: bool) -> list[str] | str:
    try:
        if by_columns:
            found: list[str] = clean_terms(pa.array(texts, pa.string()), clean_text, LONGEST_TERM).to_pylist()
            return found
        return list(map(clean_text, texts))
    except TermError as error:
        return str(error)


@given(st.lists(PLAIN | TEXTS | st.sampled_from(["", " ", "a ", "\u2003b", "e\u0301", "\x7f", "a\x00", "\x85"])))
@example(["a" * LONGEST_TERM, "\u00d6" * LONGEST_TERM, f" {'b' * LONGEST_TERM} "])
@example(["a" * (LONGEST_TERM + 1)])
@example(["\u00d6" * (LONGEST_TERM + 1)])
def test_they_are_those_of_each_text(texts: list[str]) -> None:
    assert outcome(texts, by_columns=True) == outcome(texts, by_columns=False)


def test_plain_texts_are_not_always_terms_of_the_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term_columns, "PLAIN_IS_CLEAN", False)
    assert clean_terms(pa.array([" a-b c"]), clean_guide_term, LONGEST_TERM).to_pylist() == ["a-b c"]
    with pytest.raises(TermError):
        clean_terms(pa.array(["dog.n.01"]), clean_guide_term, LONGEST_TERM)
