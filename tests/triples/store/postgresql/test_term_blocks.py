"""Terms that are made together share rows of the index, and are found, forgotten and taken apart one by one."""

from array import array
from itertools import accumulate
from struct import unpack_from

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from tests.support.database import in_orm
from tests.triples.store.graphs import committed, fact, store, stored_rows
from tests.triples.store.test_term_index import by_index, require_complete
from triples.store.operations import AddMany, Operation, Remove
from triples.store.postgresql.term_blocks import MOST_TERMS, insert_blocks
from triples.store.term_cache import TermCache
from triples.store.unused_terms import remove_unused_terms

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


@pytest.fixture(autouse=True)
def on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's index has one row for each term")


def fetched(statement: str) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found: list[tuple[int, ...]] = cursor.fetchall()
        return found


def rows() -> list[tuple[int, ...]]:
    """The first id of each row of the index, and how many terms it was made for; 0 if it is of one term."""
    return fetched("SELECT term_id, coalesce(cardinality(ends), 0) FROM triples_term_search ORDER BY term_id")


def add(*names: str) -> None:
    batch: list[Operation] = [AddMany([fact(name, object_=f"of {name}") for name in names])]
    in_orm(committed, batch, TermCache())


def test_a_batch_of_new_terms_takes_few_rows_and_each_is_found_by_itself() -> None:
    add(*(f"s{number:02}" for number in range(40)))
    # With their objects and the predicate.
    assert [number for _, number in in_orm(rows)] == [*[8] * 10, 1]
    assert in_orm(require_complete) == 81
    # The trigrams of "s07" are in the block of "s0a", but no term of it has them all.
    assert len(in_orm(by_index, "s07")) == 1
    assert in_orm(by_index, "s0s1") == []


def test_a_term_that_goes_leaves_the_others_of_its_block() -> None:
    add(*(f"s{number:02}" for number in range(40)))
    removed = [row for key, row in in_orm(stored_rows).items() if key[0] in {"s00", "s17"}]
    in_orm(committed, [Remove(row.id, row.created_ms) for row in removed])
    assert in_orm(remove_unused_terms, [], lambda _done, _all: None, dry=False) == 4
    assert in_orm(require_complete) == 77
    assert in_orm(by_index, "s17") == []
    assert sum(max(number, 1) for _, number in in_orm(rows)) == 77


def test_long_terms_have_smaller_blocks() -> None:
    add(*(f"{letter}{'x' * 200}" for letter in "abcdef"))
    assert max(number for _, number in in_orm(rows)) <= 2
    assert in_orm(require_complete) == 13


def test_the_migration_takes_blocks_apart_and_can_be_made_again() -> None:
    in_orm(store, fact("alone"))
    add(*(f"s{number:02}" for number in range(40)))
    try:
        in_orm(call_command, "migrate", "triples", "0011", verbosity=0)
        with_one_each = "SELECT count(*) FROM triples_term JOIN triples_term_search ON term_id = id"
        [(number,)] = in_orm(fetched, with_one_each)
        assert number == 83
    finally:
        in_orm(call_command, "migrate", verbosity=0)
    assert in_orm(require_complete) == 83


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 300)), min_size=1, max_size=60))
def test_each_term_is_in_one_block_with_its_trigrams(given: list[tuple[int, int]]) -> None:
    steps, lengths = zip(*given, strict=True)
    ids, ends = list(accumulate(steps)), list(accumulate(lengths))
    trigrams = array("i", range(ends[-1]))
    _, (_, own_ends, beginnings, *columns) = insert_blocks(ids, ends, trigrams)
    first_ids = list(map(int, beginnings.strip("{}").split(",")))
    found = {}
    for id_, first, last, head, tail in zip(first_ids, *map(_unpacked, columns), strict=True):
        block, relative = trigrams[first - 1 : last], _unpacked(own_ends)[head - 1 : tail]
        assert len(relative) <= MOST_TERMS
        assert relative[-1] == len(block)
        for place, (start, end) in enumerate(zip([0, *relative], relative, strict=False)):
            found[id_ + place] = list(block[start:end])
    expected = {id_: list(range(end - length, end)) for id_, end, length in zip(ids, ends, lengths, strict=True)}
    assert found == expected


def _unpacked(sent: bytes) -> list[int]:
    """The elements of an array in PostgreSQL's binary format."""
    _, _, _, number, _ = unpack_from(">5i", sent)
    return list(unpack_from(f">{2 * number}i", sent, 20)[1::2])
