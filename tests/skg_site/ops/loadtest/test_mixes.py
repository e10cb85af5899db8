"""A mix is read as it is written, and kept to exactly."""

from collections import Counter
from itertools import islice
from random import Random

import pytest

from skg_site.ops.loadtest.mixes import Work, endless_work, parse_mix


def test_a_mix_is_read_and_what_it_has_none_of_left_out() -> None:
    assert parse_mix("query=80, add=15,batch=0") == {Work.QUERY: 80, Work.ADD: 15}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is none of"),
        ("delete=5", "is none of query, add, batch"),
        ("query", "needs a whole number"),
        ("query=-1", "needs a whole number"),
        ("query=0.5", "needs a whole number"),
        ("query=²", "needs a whole number"),
        ("query=1001", "up to 1000"),
        ("query=1,query=2", "twice"),
        ("query=0,add=0", "above 0"),
    ],
)
def test_what_is_no_mix_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_mix(text)


def test_every_round_has_the_mix_exactly_and_rounds_differ_in_their_order() -> None:
    mix = parse_mix("query=8,add=3,batch=1")
    work = endless_work(mix, Random(1))
    first, second = list(islice(work, 12)), list(islice(work, 12))
    assert Counter(first) == Counter(second) == mix
    assert first != second
