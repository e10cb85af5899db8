"""Facts by columns: as a sequence, and as rows."""

from itertools import compress

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triples.store.graphs import fact
from triples.store import fact_columns
from triples.store.fact_columns import FactColumns, characters, joined
from triples.store.operations import Fact

names = st.sampled_from("abc")
facts = st.builds(fact, names, names, names, st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([None, '{"a":1}']))
lists = st.lists(facts, min_size=1, max_size=12)


@given(lists, st.slices(12))
def test_they_are_a_sequence_of_the_same_facts(expected: list[Fact], part: slice) -> None:
    found = FactColumns.of(expected)
    assert len(found) == len(expected)
    assert list(found) == expected
    assert found[part] == expected[part]
    assert [found[place] for place in range(-len(expected), len(expected))] == expected * 2
    assert FactColumns.of(found) is found


def test_the_characters_are_those_of_the_texts_in_memory() -> None:
    expected = [fact("ab", "p", "c", 0.5, '{"a":1}'), fact("ab", "p", "defg")]
    assert characters(expected) == 3 + 7 + 6
    # Here each text is there once.
    assert characters(FactColumns.of(expected)) == len("abpcdefg") + 7
    assert characters(FactColumns.of(expected[1:])) == len("abpdefg")


def test_there_is_nothing_behind_the_last() -> None:
    with pytest.raises(IndexError):
        FactColumns.of([fact("a")])[1]


def test_many_are_walked_through_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_columns, "_FACTS_AT_ONCE", 3)
    expected = [fact(f"s{number}") for number in range(7)]
    assert list(FactColumns.of(expected)) == expected


@given(st.lists(st.tuples(st.lists(facts, max_size=4), st.booleans()), max_size=5))
def test_parts_are_joined_in_their_order(parts: list[tuple[list[Fact], bool]]) -> None:
    found = joined([FactColumns.of(part) if part and as_columns else part for part, as_columns in parts])
    assert list(found) == [one for part, _ in parts for one in part]
    if isinstance(found, FactColumns):
        # What is there several times would be looked up, sorted and stored several times.
        assert len(set(found.texts)) == len(found.texts)


@given(lists, st.booleans())
def test_rows_are_sorted_and_of_the_same_key_the_first_or_last_is_left(given_: list[Fact], keep_last: bool) -> None:
    ids = {"a": 7, "b": 2, "c": 40}
    kept: dict[tuple[int, ...], tuple[float, str | None]] = {}
    for one in given_ if keep_last else reversed(given_):
        kept[ids[one.subject], ids[one.object], ids[one.predicate]] = (one.weight, one.metadata)
    rows = FactColumns.of(given_).rows(ids, keep_last=keep_last)
    assert list(zip(*(column.to_pylist() for column in rows.columns), strict=True)) == [
        (*key, *value) for key, value in sorted(kept.items())
    ]


@given(lists, st.data())
def test_only_some_of_them_have_no_text_of_the_others(given_facts: list[Fact], data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(given_facts), max_size=len(given_facts)))
    expected = list(compress(given_facts, kept))
    found = FactColumns.of(given_facts).only(pa.array(kept, pa.bool_()))
    assert list(found) == expected
    assert set(found.texts) == {text for one in expected for text in (one.subject, one.predicate, one.object)}
