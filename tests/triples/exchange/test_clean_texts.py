"""The texts of many terms at once are those of each by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triples.exchange.rdf.clean_texts import CleanTexts
from triples.exchange.rdf.prefixes import Prefixes
from triples.exchange.rdf.terms import TermTexts
from triples.fact_validation import clean_text

PARTS = [
    "a",
    "%",
    "%20",
    "/",
    "#",
    ":",
    "?",
    ".",
    "..",
    "é",
    " ",
    "@",
    "[",
    "x:y",
    "http://",
    "e.org",
    '\\"',
    "\\n",
    "<",
    "_",
    "-",
    "~",
]
IRIS = st.lists(st.sampled_from(PARTS), max_size=6).map("".join)
ENDINGS = ["", "@en", "@EN", "@en-GB", "^^<http://www.w3.org/2001/XMLSchema#integer>", "^^<a:b>", "^^<no>"]
TERMS = st.one_of(
    IRIS.map(lambda rest: f"<http://e.org{rest}>"),
    IRIS.map(lambda rest: f"<https://{rest}>"),
    IRIS.map(lambda rest: f"<urn:{rest}>"),
    st.tuples(IRIS, st.sampled_from(ENDINGS)).map(lambda both: f'"{both[0]}"{both[1]}'),
    st.sampled_from(
        ["_:a", "<<( <a:a> <a:b> <a:c> )>>", f'"{"x" * 501}"', f"<http://e.org/{'x' * 490}>", '""', '" "', '"a "']
    ),
)
NAMESPACES: list[dict[str, str]] = [
    {},
    {"e": "http://e.org/"},
    {"e": "http://e.org/", "f": "http://e.org/a/", "g": "http://e.org/a#", "h": "https://a:"},
    {"e": "http://e.org/a"},
]


def one_by_one(texts: TermTexts, written: list[str]) -> list[str] | None:
    try:
        return [clean_text(texts.checked_text(term)) for term in written]
    except ValueError:
        return None


def at_once(texts: TermTexts, written: list[str]) -> list[str] | None:
    try:
        return CleanTexts(texts)(written)
    except ValueError:
        return None


@given(st.lists(TERMS, min_size=1, max_size=4, unique=True), st.sampled_from(NAMESPACES))
def test_many_are_as_each(written: list[str], namespaces: dict[str, str]) -> None:
    texts = TermTexts(Prefixes(namespaces))
    for some in (written, *([term] for term in written)):
        assert at_once(texts, some) == one_by_one(texts, some)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("<http://e.org/a/b?c=d>", "f:b?c=d"),
        ("<http://e.org/b/c>", "e:b/c"),
        ("<http://o.org/b/c>", "http://o.org/b/c"),
        ('"Ada Lovelace"', "Ada Lovelace"),
        ('"5"^^<http://www.w3.org/2001/XMLSchema#integer>', '"5"^^<http://www.w3.org/2001/XMLSchema#integer>'),
    ],
)
def test_what_is_usual_is_not_looked_at_by_itself(written: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(TermTexts, "checked_text")
    assert CleanTexts(TermTexts(Prefixes(NAMESPACES[2])))([written]) == [text]
