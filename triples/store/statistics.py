"""What the graph is made of, at a cost that does not grow with it."""

from pathlib import Path
from typing import NamedTuple

from triples.store.dialect import Dialect
from triples.store.inferred.reading import View
from triples.store.inferred.state import State
from triples.store.postgresql.dialect import POSTGRESQL
from triples.store.sessions import Fetch
from triples.store.sqlite.inferred_files import current_file

# Each predicate is found by one step in the index behind the one before it.
_PREDICATES = (
    "WITH RECURSIVE used (id) AS (SELECT min(predicate_id) FROM triples_triple UNION ALL"
    " SELECT (SELECT min(predicate_id) FROM triples_triple WHERE predicate_id > used.id) FROM used"
    " WHERE used.id IS NOT NULL) SELECT count(id) FROM used"
)
_TALLY = "SELECT coalesce(sum(triples), 0), coalesce(sum(subjects), 0) FROM triples_tally"


class Statistics(NamedTuple):
    triples: int
    subjects: int
    predicates: int
    size_bytes: int
    # As of the last run; None when there has been none.
    recursion: State | None


def statistics(fetch: Fetch, dialect: Dialect, database_file: Path, view: View | None = None) -> Statistics:
    [(triples, subjects)] = fetch(_TALLY, [])
    [(predicates,)] = fetch(_PREDICATES, [])
    size = size_in_bytes(fetch, dialect, database_file)
    return Statistics(int(triples), int(subjects), predicates, size, None if view is None else view.state)


def size_in_bytes(fetch: Fetch, dialect: Dialect, database_file: Path) -> int:
    """The database on disk; for SQLite all of its files: the facts, the inferred ones, and what their logs hold."""
    if dialect is POSTGRESQL:
        [(size,)] = fetch("SELECT pg_database_size(current_database())", [])
        return int(size)
    databases = [database_file, *filter(None, [current_file()])]
    files = [file for one in databases for file in (one, one.with_name(one.name + "-wal"))]
    return sum(file.stat().st_size for file in files if file.exists())
