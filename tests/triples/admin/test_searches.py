"""What the search box understands."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from triples import ids
from triples.admin.searches import TermSearch, parse, parse_placed, written
from triples.query.fact_lists import PLACES, FactKey
from triples.text import TermError


@pytest.mark.parametrize(
    ("typed", "search", "places"),
    [
        ("", None, PLACES),
        ("  ", None, PLACES),
        ("dog", TermSearch("dog", exact=False), PLACES),
        (" New York ", TermSearch("New York", exact=False), PLACES),
        ('"New York"', TermSearch("New York", exact=True), PLACES),
        ("s:dog", TermSearch("dog", exact=False), ("subject",)),
        ("p: is_a", TermSearch("is_a", exact=False), ("predicate",)),
        ('o:"dog"', TermSearch("dog", exact=True), ("object",)),
        ("o:", None, ("object",)),
        ("x:dog", TermSearch("x:dog", exact=False), PLACES),
        ('"s:dog"', TermSearch("s:dog", exact=True), PLACES),
        ('"', TermSearch('"', exact=False), PLACES),
        ('""quoted""', TermSearch('"quoted"', exact=True), PLACES),
        ("e\u0301", TermSearch("é", exact=False), PLACES),
    ],
)
def test_what_is_typed_is_understood(typed: str, search: TermSearch | None, places: tuple[str, ...]) -> None:
    assert parse_placed(typed) == (search, places)


@pytest.mark.parametrize("typed", ['""', "a\x00b", "x" * 10_001])
def test_what_cannot_be_a_term_is_refused(typed: str) -> None:
    with pytest.raises(TermError):
        parse(typed)


@given(st.sampled_from(PLACES), st.text(min_size=1, max_size=20))
@example("subject", '"')
@example("object", 's:"dog"')
def test_what_a_link_types_finds_exactly_its_term(place: str, text: str) -> None:
    try:
        search, places = parse_placed(written(place, text))  # type: ignore[arg-type]  # one of PLACES
    except TermError:
        return
    assert places == (place,)
    assert search == TermSearch(text.strip(), exact=True) or not text.isascii()


def test_a_public_id_is_known_as_such() -> None:
    assert TermSearch(ids.pack(1_700_000_000_000, 5), exact=False).fact == FactKey(5, 1_700_000_000_000)
    assert TermSearch(ids.pack(1_700_000_000_000, 5, kind=1), exact=False).fact is None
    assert TermSearch("00000000-0000-4000-8000-000000000000", exact=False).fact is None
    assert TermSearch("dog", exact=False).fact is None
