"""What a read costs SQLite, in instructions of its virtual machine: as much as it answers, however many facts match.

The time it takes would say the same, but not on a busy machine.
"""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from tests.support.database import empty_tables, in_orm
from triples.query import reads
from triples.query.reads import Position, Wanted
from triples.store.group_commit import open_session
from triples.store.operations import Pattern
from triples.store.sessions import Fetch
from triples.store.sqlite.dialect import SQLITE
from triples.store.statistics import statistics

pytestmark = pytest.mark.usefixtures("hub")

K = 10
HUB_FACTS = 20_000
# One fact that is answered takes some fifty, with its texts; one that is counted ten.
MOST_READING = 1_500
MOST_COUNTING = 1_500

PATTERNS: list[Pattern] = [
    (None, None, None),
    ("hub", None, None),
    (None, "p", None),
    (None, None, "hub"),
    ("hub", "p", None),
    (None, "p", "hub"),
    ("hub", None, "hub"),
    ("hub", "p", "hub"),
]


@pytest.fixture(scope="module")
def hub(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A term that is the subject of as many facts as it is the object of, all of one predicate."""
    with django_db_blocker.unblock():
        in_orm(_fill)
        yield
        in_orm(empty_tables)


def _fill() -> None:
    numbers = (
        f"(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {HUB_FACTS}) SELECT i FROM n)"
    )
    fact = (
        "INSERT INTO triples_triple (subject_id, predicate_id, object_id, weight, source, created_at)"
        " SELECT {}, (SELECT id FROM triples_term WHERE text = 'p'), {}, (i % 1000) / 1000.0, 1, 0"
        " FROM triples_term AS t JOIN " + numbers + " ON t.text = 't' || i"
    )
    its_id = "(SELECT id FROM triples_term WHERE text = 'hub')"
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO triples_term (text) VALUES ('hub'), ('p')")
        cursor.execute(f"INSERT INTO triples_term (text) SELECT 't' || i FROM {numbers}")
        cursor.execute(fact.format(its_id, "t.id"))
        cursor.execute(fact.format("t.id", its_id))
        cursor.execute(
            "INSERT INTO triples_triple (subject_id, predicate_id, object_id, weight, source, created_at)"
            f" SELECT {its_id}, id, {its_id}, 0.5, 1, 0 FROM triples_term WHERE text = 'p'"
        )


def instructions(read: Callable[[Fetch], object]) -> int:
    """How many the statements of a read take, to the nearest ten."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 10

    def look() -> None:
        session = open_session(connection)
        session.driver.set_progress_handler(count, 10)
        try:
            read(session.rows)
        finally:
            session.driver.set_progress_handler(None, 0)

    in_orm(look)
    return taken


@pytest.mark.parametrize("min_weight", [0.0, 0.4, 0.9])
@pytest.mark.parametrize("after", [None, Position(0.5, 7), Position(0.9985, 7)])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_page_costs_what_it_shows(pattern: Pattern, after: Position | None, min_weight: float) -> None:
    def read(fetch: Fetch) -> None:
        reads.page(fetch, SQLITE, None, Wanted(pattern, min_weight), limit=K, after=after)

    assert 0 < instructions(read) < MOST_READING


@pytest.mark.parametrize("min_weight", [0.0, 0.4])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_counting_stops_at_the_limit(pattern: Pattern, min_weight: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "COUNT_LIMIT", 100)
    reads.count_asserted.cache_clear()

    def read(fetch: Fetch) -> None:
        matches = reads.heaviest(fetch, SQLITE, None, Wanted(pattern, min_weight), k=K, with_metadata=True)
        assert matches.capped or None not in (pattern[0], pattern[2])

    try:
        assert 0 < instructions(read) < MOST_READING + MOST_COUNTING
    finally:
        reads.count_asserted.cache_clear()


def test_statistics_count_nothing() -> None:
    assert 0 < instructions(statistics) < 200
