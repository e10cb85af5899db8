"""Parts of terms, beside a look at every one of them."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from triples.folding import words
from triples.query.typos_in_parts import Part, TypedPart

# Few letters, so that texts are alike, and some of what stands between words.
TEXTS = st.text("abc1 _.-", min_size=1, max_size=14)


def in_parts(typed: str, other: str) -> list[Part]:
    """All parts of a term, with their typos."""
    text, whole = (re.sub(r"[\W_]+", " ", folded).strip() for folded in (typed, other))
    number, found = len(text.split()), whole.split()
    parts = {" ".join(found[first : first + number]) for first in range(len(found) - number + 1)}
    parts.update(whole[:length] for length in range(1, len(whole) + 1))
    return [Part(OSA.distance(text, part), len(part) / len(whole)) for part in parts if part]


@given(TEXTS, st.lists(TEXTS, max_size=6))
@example("ab c", ["ab_c.a", "xab", "a_b_c"])
@example("abcab", ["b_acb", "acbab1", "_"])
def test_the_nearest_is_one_of_all(typed: str, others: list[str]) -> None:
    part = TypedPart(typed)
    for edits in range(part.edits + 1):
        expected = {}
        for place, other in enumerate(others):
            near = [(one.typos, -one.share) for one in in_parts(typed, other) if one.typos <= edits]
            if part.form and near:
                typos, share = min(near)
                expected[place] = Part(typos, -share)
        assert part.nearest(others, edits) == expected


@pytest.mark.parametrize(
    ("folded", "expected"),
    [
        ("toy_poodle.n.01", ["toy", "poodle", "n", "01"]),
        ("c++ (a language)", ["c", "a", "language"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("東京都、日本", ["東京都", "日本"]),
        ("😀", []),
    ],
    ids=ascii,
)
def test_words(folded: str, expected: list[str]) -> None:
    assert list(words(folded)) == expected
