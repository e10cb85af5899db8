"""Sets of ids are sets."""

from hypothesis import given
from hypothesis import strategies as st

from triples.store.id_sets import IdSet

ids = st.integers(1, 300) | st.integers(65_500, 65_600) | st.integers(1, 2**40)


@given(st.lists(ids, max_size=20), st.lists(ids, max_size=5))
def test_a_set_has_what_was_added_and_nothing_else(added: list[int], others: list[int]) -> None:
    found = IdSet()
    found.update(added)
    assert {id_ for id_ in [*added, *others] if id_ in found} == set(added)
