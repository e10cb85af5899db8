"""A typo leaves the trigrams of at least one of the sets that are looked up."""

from hypothesis import assume, given
from hypothesis import strategies as st

from triples.folding import GRAM, trigrams
from triples.query.trigram_choice import RAREST, Frequencies, marked, outside, whole

# Few letters, so that trigrams come twice.
WORDS = st.text("abcd", min_size=3, max_size=24)
SAMPLES = st.lists(st.text("abcd", min_size=1, max_size=12), max_size=20)


@st.composite
def typos(draw: st.DrawFn) -> tuple[str, str]:
    """A word as it was typed, and one that is it but for a typo."""
    word = draw(WORDS)
    place = draw(st.integers(0, len(word) - 1))
    letter = draw(st.sampled_from("abcde"))
    before, here, after = word[:place], word[place], word[place + 1 :]
    others = [before + after, before + letter + after, before + letter + here + after, word + letter]
    if after:
        others.append(before + after[0] + here + after[1:])
    return word, draw(st.sampled_from(others))


@given(typos(), SAMPLES, st.sampled_from([0, 1_000, 10_000_000]))
def test_trigrams_that_stand_apart(pair: tuple[str, str], sample: list[str], terms: int) -> None:
    typed, meant = pair
    arms = Frequencies(sample, terms).one_typo(marked(typed), 100)
    assume(arms)
    kept = set(trigrams(marked(meant)))
    assert any(kept.issuperset(arm.grams) for arm in arms)
    # Or the typo is near the one that is left out, and leaves all others.
    assert all(
        kept.issuperset(arm.grams) or any(kept.issuperset(outside(marked(typed), other.spoilt)) for other in arms)
        for arm in arms
    )


@given(typos())
def test_what_is_outside_of_one_half(pair: tuple[str, str]) -> None:
    typed, meant = pair
    kept, spans = set(trigrams(marked(meant))), [whole(typed)]
    while spans:
        spans = [span for span in spans if kept.issuperset(outside(marked(typed), span))]
        assert spans
        spans = [half for span in spans for half in span.halves or ()]


@given(WORDS, SAMPLES, st.sampled_from([0, 10_000_000]))
def test_the_rarest_are_some_of_all(word: str, sample: list[str], terms: int) -> None:
    grams = trigrams(marked(word))
    chosen = Frequencies(sample, terms).rarest(grams, RAREST)
    assert 1 <= len(chosen) <= RAREST
    assert set(chosen) <= set(grams)
    assert all(len(gram) == GRAM for gram in chosen)
