"""Pattern queries and pages of all eight shapes, beside a plain scan of a small graph full of ties."""

import itertools
import random
from collections.abc import Iterable, Iterator

import pytest
from django.db import connection

from tests.support.database import in_orm, in_orm_thread
from tests.triples.store.graphs import committed, fact, store, stored_rows
from triples.query import reads
from triples.query.fact_rows import AnyRow
from triples.query.reads import Matches, Position, Wanted
from triples.store.backend import backend
from triples.store.group_commit import open_session
from triples.store.operations import AddOne, Change, Pattern, Remove, Row

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

TEXTS = ["a", "b", "c", "d"]
PREDICATES = ["p", "q", "a"]
WEIGHTS = [0.0, 0.25, 0.5, 0.5, 1.0]
LEAST_WEIGHTS = [0.0, 0.25, 0.3, 1.0]

# Every shape with every choice of constants; "nowhere" is a term that no fact has.
PATTERNS: list[Pattern] = list(
    itertools.product([None, *TEXTS, "nowhere"], [None, *PREDICATES, "nowhere"], [None, *TEXTS, "nowhere"])
)


@pytest.fixture
def rows() -> list[Row]:
    """A graph in which every second fact that could be is, in the order of answers."""
    dice = random.Random(7)
    possible = list(itertools.product(TEXTS, PREDICATES, TEXTS))
    chosen = dice.sample(possible, len(possible) // 2)
    metadata = [None, '{"a":1}']
    in_orm(store, *(fact(*key, dice.choice(WEIGHTS), dice.choice(metadata)) for key in chosen))
    return in_order(in_orm(stored_rows).values())


def in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row.weight, row.id))


def matching(rows: list[Row], pattern: Pattern, min_weight: float) -> list[Row]:
    return [
        row
        for row in rows
        if row.weight >= min_weight
        and all(wanted in {None, text} for wanted, text in zip(pattern, row[6:], strict=True))
    ]


def heaviest(pattern: Pattern, k: int, min_weight: float, *, with_metadata: bool = True) -> Matches:
    dialect = backend().dialect
    fetch = open_session(connection).rows
    return reads.heaviest(fetch, dialect, None, Wanted(pattern, min_weight), k=k, with_metadata=with_metadata)


def pages(pattern: Pattern, limit: int, min_weight: float = 0.0) -> Iterator[list[Row]]:
    dialect = backend().dialect
    after: Position | None = None
    while True:
        fetch = open_session(connection).rows
        page = [
            row
            for row in reads.page(fetch, dialect, None, Wanted(pattern, min_weight), limit=limit, after=after)
            if isinstance(row, Row)
        ]
        yield page
        if len(page) < limit:
            return
        after = Position(page[-1].weight, page[-1].id)


@in_orm_thread
def test_every_pattern_has_the_heaviest_of_its_matches(rows: list[Row]) -> None:
    for pattern in PATTERNS:
        for min_weight in LEAST_WEIGHTS:
            expected = matching(rows, pattern, min_weight)
            for k in (1, 3, 1000):
                assert heaviest(pattern, k, min_weight) == (expected[:k], len(expected), False)


@in_orm_thread
def test_the_pages_of_every_pattern_together_are_its_matches(rows: list[Row]) -> None:
    for pattern in PATTERNS:
        for min_weight, limit in ((0.0, 1), (0.0, 4), (0.25, 3), (1.0, 2)):
            found = list(itertools.chain.from_iterable(pages(pattern, limit, min_weight)))
            assert found == matching(rows, pattern, min_weight)


def test_a_page_holds_to_a_least_weight_that_was_raised_meanwhile(rows: list[Row]) -> None:
    def read() -> list[AnyRow]:
        dialect = backend().dialect
        wanted = Wanted((None, None, None), min_weight=0.5)
        after = Position(0.25, 0)
        return reads.page(open_session(connection).rows, dialect, None, wanted, limit=100, after=after)

    assert in_orm(read) == []


def test_metadata_is_read_only_where_it_is_wanted(rows: list[Row]) -> None:
    found = in_orm(heaviest, (None, None, None), 1000, 0.0, with_metadata=False).rows
    assert list(found) == [row._replace(metadata=None) for row in rows]


@pytest.mark.parametrize("limit", [1, 5, 23, 24, 25])
def test_a_total_is_exact_up_to_the_limit_and_capped_beyond(
    rows: list[Row], monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    assert len(rows) == 24
    monkeypatch.setattr(reads, "COUNT_LIMIT", limit)
    reads.count_asserted.cache_clear()
    try:
        matches = in_orm(heaviest, (None, None, None), 1, 0.0)
    finally:
        reads.count_asserted.cache_clear()
    assert (matches.total, matches.capped) == (min(24, limit), limit < 24)


@pytest.mark.parametrize("pattern", [(None, None, None), ("s", None, None), (None, "p", None), ("s", "p", None)])
def test_a_fact_that_nobody_touches_is_on_exactly_one_page(pattern: Pattern) -> None:
    """While facts are added before, behind and at the reader's place, and others are removed and changed."""

    def read() -> list[Row]:
        weights = [0.0, 0.5, 0.5, 1.0]
        store(*(fact("s", "p", f"kept {number}", weights[number % 4]) for number in range(40)))
        store(*(fact("s", "p", f"passing {number}", weights[number % 4]) for number in range(40)))
        passing = [row for row in stored_rows().values() if row.object.startswith("passing")]
        seen: list[Row] = []
        for number, page in enumerate(pages(pattern, 7)):
            seen += page
            row, other = passing.pop(), passing.pop()
            committed(
                [
                    AddOne(fact("s", "p", f"added {number}", weights[number % 4])),
                    Remove(row.id, row.created_ms),
                    Change(other.id, other.created_ms, weight=weights[(number + 1) % 4]),
                ]
            )
        return seen

    seen = in_orm(read)
    kept = [row.object for row in seen if row.object.startswith("kept")]
    assert sorted(kept) == sorted(f"kept {number}" for number in range(40))
    assert seen == in_order(seen)


def test_terms_are_found_whatever_they_look_like() -> None:
    odd = ["%", "_", "'", '"', "\\", "?", "%s", "$1", "NULL", "true", "0", "é", "\u202e", "\U0001f600", "a\u00a0b"]
    in_orm(store, *(fact(text, "p", text) for text in odd))
    for text in odd:
        for pattern in ((text, None, None), (None, None, text), (text, "p", text)):
            [row] = in_orm(heaviest, pattern, 10, 0.0).rows
            assert (row.subject, row.object) == (text, text)
