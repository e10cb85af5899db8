"""The stored graph, read by plain statements that have nothing to do with the store's own."""

from collections.abc import Sequence

import pytest
from django.db import connection

from skg_site.host.write_lock import write_lock
from tests.support.database import in_orm
from triples.models import Source
from triples.store.group_commit import commit_group, write_now
from triples.store.operations import AddMany, Fact, Outcome, Row
from triples.store.postgresql import initial_load as on_postgresql
from triples.store.sqlite import initial_load as on_sqlite
from triples.store.term_cache import TermCache

Key = tuple[str, str, str]


def fact(
    subject: str, predicate: str = "p", object_: str = "o", weight: float = 1.0, metadata: str | None = None
) -> Fact:
    return Fact(subject, predicate, object_, weight, metadata, Source.API)


def store(*facts: Fact) -> None:
    write_now([AddMany(facts)])


def committed(operations: Sequence[object], cache: TermCache | None = None) -> list[Outcome | Exception]:
    """The outcomes of a group, as the writer's thread gets them."""
    with write_lock():
        return list(commit_group(operations, cache or TermCache()))  # type: ignore[arg-type]  # the tests' lists are of one kind each


def load_first(monkeypatch: pytest.MonkeyPatch, fewest: int) -> None:
    """Let the first facts of a graph be an initial load if there are so many, whatever the database."""
    for module in (on_sqlite, on_postgresql):
        monkeypatch.setattr(module, "FEWEST_FACTS", fewest)


def stored_rows() -> dict[Key, Row]:
    """Every fact by its three texts; a fact that stands twice is a mistake."""
    metadata = "t.metadata::text" if connection.vendor == "postgresql" else "t.metadata"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.id, t.created_at, t.updated_at, t.source, t.weight, {metadata}, s.text, p.text, o.text"
            " FROM triples_triple t JOIN triples_term s ON s.id = t.subject_id"
            " JOIN triples_term p ON p.id = t.predicate_id JOIN triples_term o ON o.id = t.object_id"
        )
        rows = [Row(*values) for values in cursor.fetchall()]
    found = {(row.subject, row.predicate, row.object): row for row in rows}
    assert len(found) == len(rows)
    return found


def tallied() -> tuple[int, int]:
    """Facts and distinct subjects as the tallies have them; those by predicate must be right, too."""
    assert tallied_by_predicate() == counted_by_predicate()
    return _numbers("SELECT coalesce(sum(triples), 0), coalesce(sum(subjects), 0) FROM triples_tally")


def counted() -> tuple[int, int]:
    """Facts and distinct subjects, counted."""
    return _numbers("SELECT count(*), count(DISTINCT subject_id) FROM triples_triple")


def tallied_by_predicate() -> dict[int, int]:
    """Facts by the id of their predicate, as the tallies have them."""
    return _counts("SELECT predicate_id, sum(facts) FROM triples_predicatetally GROUP BY predicate_id")


def counted_by_predicate() -> dict[int, int]:
    """The same, counted."""
    return _counts("SELECT predicate_id, count(*) FROM triples_triple GROUP BY predicate_id")


def fresh_pool() -> None:
    """Forget the idle connections that the threads of other tests left in the pool."""
    in_orm(lambda: connection.close_pool())  # type: ignore[attr-defined]  # noqa: PLW0108  # as PostgreSQL's has it


def _counts(sql: str) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {predicate: int(number) for predicate, number in cursor.fetchall() if number}


def _numbers(sql: str) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        first, second = cursor.fetchone()
    return int(first), int(second)
