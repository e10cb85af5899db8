"""What a term may be and into which shape it is brought."""

from contextlib import suppress
from time import thread_time
from unicodedata import combining, is_normalized, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triples.text import MAX_PREDICATE_LENGTH, MAX_TERM_LENGTH, TermError, clean_guide_term, clean_term

REAL_NAMES = [
    "dog.n.01",
    "http://example.org/resource?id=1#part",
    "Rubik's cube",
    'She said "no"; then left',
    "C++ / C#",
    "-1.5e3",
    "2024-01-15T10:30:00Z",
    "東京都",
    "مرحبا بالعالم",
    "👩\u200d👩\u200d👧\u200d👦",
    "a b",
    "\u200bzero width",
    "\ufeffbyte order mark",
    "\u202eright to left",
    "private \ue000 use",
    "no character \uffff",
    "last one \U0010ffff",
    "NULL",
    "'; DROP TABLE triples_triple; --",
    "${jndi:ldap://x}",
    "%s %(name)s {0} ?",
    "\\u0000",
    "line\u2028separator",
]

any_text = st.text(st.characters(codec=None), max_size=40)


@pytest.mark.parametrize("name", REAL_NAMES)
def test_a_name_in_normal_form_is_kept_to_the_letter(name: str) -> None:
    assert clean_term(name) == name


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("  Einstein\t", "Einstein"),
        ("\u3000東京\u00a0\u2003", "東京"),
        ("two  spaces", "two  spaces"),
        ("e\u0301", "é"),
        ("\u212b", "\u00c5"),
        ("\u1112\u1161\u11ab", "한"),
        ("\u2126", "Ω"),
        ("\ufb01", "\ufb01"),
    ],
)
def test_white_space_around_goes_and_marks_are_composed(sent: str, stored: str) -> None:
    assert clean_term(sent) == stored


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u3000\u2003\u00a0", "\u2028"])
def test_nothing_but_white_space_is_no_term(text: str) -> None:
    with pytest.raises(TermError, match="must not be empty"):
        clean_term(text)


@pytest.mark.parametrize("code", [0, 7, 0x1B, 0x0A, 0x0D, 0x7F, 0x80, 0x9F, 0xD800, 0xDC80, 0xDFFF])
def test_control_characters_and_lone_surrogates_are_refused(code: int) -> None:
    with pytest.raises(TermError, match=f"U\\+{code:04X}"):
        clean_term(f"a{chr(code)}b")


@pytest.mark.parametrize("limit", [MAX_TERM_LENGTH, MAX_PREDICATE_LENGTH])
def test_a_term_is_as_long_as_its_limit_and_no_longer(limit: int) -> None:
    assert clean_term("x" * limit, limit) == "x" * limit
    with pytest.raises(TermError, match=f"at most {limit} characters, not {limit + 1}"):
        clean_term("x" * (limit + 1), limit)


def test_characters_are_counted_after_composing() -> None:
    assert len(clean_term("e\u0301" * MAX_TERM_LENGTH)) == MAX_TERM_LENGTH
    # The most that composes into one character: a letter and three marks.
    longest = normalize("NFD", "\u1f82") * MAX_TERM_LENGTH
    assert clean_term(longest) == "\u1f82" * MAX_TERM_LENGTH
    # Composition leaves these out, so that they become longer.
    with pytest.raises(TermError, match="not 750"):
        clean_term("\u0958" * 375, 500)


def test_a_million_marks_out_of_order_are_refused_without_being_put_in_order() -> None:
    with pytest.raises(TermError, match="at most 10000 characters"):
        clean_term("a" + "\u0301" * 500_000 + "\u0316" * 500_000)


@given(any_text)
def test_what_is_accepted_is_the_text_up_to_normal_form_and_outer_white_space(text: str) -> None:
    try:
        term = clean_term(text)
    except TermError:
        return
    assert term == normalize("NFC", text.strip())
    assert is_normalized("NFC", term)
    assert term == term.strip()
    assert term


@given(any_text)
def test_cleaning_again_changes_nothing(text: str) -> None:
    try:
        term = clean_term(text)
    except TermError:
        return
    assert clean_term(term) == term


@given(any_text)
def test_two_spellings_of_a_text_are_one_term(text: str) -> None:
    assert _outcome(text) == _outcome(normalize("NFD", text)) == _outcome(normalize("NFC", text))


def _outcome(text: str) -> str | None:
    try:
        return clean_term(text)
    except TermError:
        return None


@pytest.mark.parametrize("text", ["Einstein", "Nobel_Prize", "born in", "well-known", "東京", "Ñandú 7", "_"])
def test_the_guides_set_is_letters_digits_spaces_hyphens_and_underscores(text: str) -> None:
    assert clean_guide_term(text) == text


@pytest.mark.parametrize("text", ["dog.n.01", "http://x", "Rubik's", "$", "a\tb", "a\nb", "it;is", "\U0001f600"])
def test_the_guides_set_holds_nothing_else(text: str) -> None:
    with pytest.raises(TermError):
        clean_guide_term(text)


def test_a_trailing_newline_does_not_slip_through_the_guides_set() -> None:
    assert clean_guide_term("Einstein\n") == "Einstein"


MARKS = [chr(code) for code in range(0x1E950) if combining(chr(code))] + list("\u0f73\u0f75\u0f81")


@given(
    st.lists(
        st.lists(st.sampled_from(MARKS), max_size=150).map("".join) | st.sampled_from("a\u03b1\u0958\uac00"),
        max_size=12,
    )
)
def test_long_runs_of_marks_come_into_the_order_that_unicode_has_for_them(parts: list[str]) -> None:
    text = "a" + "".join(parts)
    expected = normalize("NFC", text)
    if len(expected) <= 500 and len(text) <= 4 * 500:
        assert clean_term(text, 500) == expected
    else:
        with pytest.raises(TermError, match="at most 500 characters"):
            clean_term(text, 500)


def test_no_combining_mark_is_missed() -> None:
    assert not any(combining(chr(code)) for code in range(0x1E950, 0x110000))


@pytest.mark.parametrize(
    "text",
    ["a" + "\u0300\u0327" * 999, "a" + "\u0f73" * 499, ("a" + "\u0300\u0327" * 31) * 31],
)
def test_no_text_takes_the_square_of_its_marks(text: str) -> None:
    start = thread_time()
    for _ in range(100):
        with suppress(TermError):
            clean_term(text)
    # A tenth of a millisecond each on a quiet machine; unsorted, the first takes three.
    assert thread_time() - start < 0.2
