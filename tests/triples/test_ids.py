"""Public ids pack a row's creation time and key into a UUID."""

from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triples.ids import ASSERTED, INFERRED, RowId, fitting, now_ms, pack, pack_inferred, unpack, unpack_inferred

moments = st.integers(0, 2**48 - 1)
keys = st.integers(1, 2**62 - 1)
kinds = st.integers(0, 4095)


@given(moments, keys, kinds)
def test_what_is_packed_is_unpacked(created_ms: int, key: int, kind: int) -> None:
    assert unpack(UUID(pack(created_ms, key, kind))) == RowId(created_ms, key, kind)


@given(moments, keys, kinds)
def test_an_id_is_a_uuid_of_version_8_and_the_rfcs_variant(created_ms: int, key: int, kind: int) -> None:
    text = pack(created_ms, key, kind)
    assert UUID(text).version == 8
    assert UUID(text).variant == RFC_4122
    assert str(UUID(text)) == text


@given(st.lists(st.tuples(moments, keys), min_size=2, max_size=10))
def test_ids_sort_by_time_and_then_by_key(rows: list[tuple[int, int]]) -> None:
    assert sorted(pack(*row) for row in rows) == [pack(*row) for row in sorted(rows)]


@given(st.uuids())
def test_a_uuid_is_either_refused_or_the_one_that_packing_gives(stranger: UUID) -> None:
    found = unpack(stranger)
    if found is not None:
        assert UUID(pack(*found)) == stranger


@given(st.integers(0, 2**128 - 1))
def test_no_bit_of_an_id_is_ignored(number: int) -> None:
    found = unpack(UUID(int=number))
    assert (found is None) != (found is not None and UUID(pack(*found)).int == number)


@pytest.mark.parametrize(
    "stranger",
    [
        UUID(int=0),
        UUID(int=2**128 - 1),
        UUID("9f2d1a34-e6b9-11f1-b003-02fc00000001"),
        UUID("9196c80f-19b0-437b-b908-e89622e83e32"),
        UUID("018d0c8e-9a40-7000-8000-000000000001"),
        UUID("018d0c8e-9a40-8000-0000-000000000001"),
        UUID("018d0c8e-9a40-8000-c000-000000000001"),
        UUID("018d0c8e-9a40-8000-8000-000000000000"),
    ],
    ids=str,
)
def test_an_id_that_is_never_made_is_none(stranger: UUID) -> None:
    assert unpack(stranger) is None


@pytest.mark.parametrize(
    ("created_ms", "key", "kind"),
    [
        (0, 0, 0),
        (0, -1, 0),
        (0, 2**62, 0),
        (0, 1, -1),
        (0, 1, 4096),
    ],
)
def test_what_does_not_fit_is_not_packed(created_ms: int, key: int, kind: int) -> None:
    with pytest.raises(ValueError, match="a public id holds"):
        pack(created_ms, key, kind)


@pytest.mark.parametrize(("created_ms", "held"), [(-1, 0), (-(2**60), 0), (2**48, 2**48 - 1), (2**60, 2**48 - 1)])
def test_a_time_that_does_not_fit_is_the_nearest_that_does(created_ms: int, held: int) -> None:
    assert pack(created_ms, 1) == pack(held, 1)
    assert fitting(created_ms) == held


@pytest.mark.parametrize(("clock_ns", "kept"), [(-(10**18), 0), (10**18, 10**12), (10**30, 253_402_300_799_999)])
def test_now_is_a_date_whatever_the_clock_says(clock_ns: int, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triples.ids.time_ns", lambda: clock_ns)
    assert now_ms() == kept


def test_an_id_shows_its_moment_where_version_7_has_it() -> None:
    assert pack(0x018D0C8E9A40, 1, ASSERTED) == "018d0c8e-9a40-8000-8000-000000000001"


terms = st.integers(1, 2**36 - 1)


@given(terms, terms, terms)
def test_the_id_of_an_inferred_fact_gives_its_terms_back(subject: int, predicate: int, object_: int) -> None:
    public_id = UUID(pack_inferred(subject, predicate, object_))
    assert unpack_inferred(public_id) == (subject, predicate, object_)
    assert (public_id.version, public_id.variant) == (8, RFC_4122)


@given(st.one_of(st.uuids(), st.builds(UUID, st.builds(pack, moments, keys, st.just(INFERRED)))))
def test_a_uuid_is_an_inferred_facts_only_if_packing_gives_it(stranger: UUID) -> None:
    found = unpack_inferred(stranger)
    if found is not None:
        assert UUID(pack_inferred(*found)) == stranger


@pytest.mark.parametrize("key", [(0, 1, 1), (1, 0, 1), (1, 1, 0), (2**36, 1, 1), (1, 2**36, 1), (1, 1, 2**36)])
def test_terms_that_do_not_fit_are_not_packed(key: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="36 bits"):
        pack_inferred(*key)
