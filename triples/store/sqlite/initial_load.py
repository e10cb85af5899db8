"""The first facts of a graph on SQLite, whose indexes are sorted once all rows are there.

Row by row, each of the indexes takes as long as the table itself; sorted, a quarter of that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from triples.ids import now_ms
from triples.models import Source
from triples.store.backend import FirstFacts
from triples.store.fact_columns import KEY, FactColumns
from triples.store.sessions import Key, Session
from triples.store.sqlite.row_inserts import load_columns

# Fewer are as quick row by row, and leave other connections' statements as they are.
FEWEST_FACTS = 20_000
# So many are gathered for it, and lost when the import is killed meanwhile.
MOST_FACTS = 500_000

# What is written between two looks at whether others wait.
_FACTS_AT_ONCE = 20_000
# An index is sorted in runs as large as the cache: those that fit the processor's take two thirds of the time of those
# that do not. A second thread sorts one while the next is gathered, where runs are kept in files.
_SORTING = {"temp_store": "FILE", "cache_size": -2000, "threads": 1}

_INDEXES = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'triples_triple' AND sql IS NOT NULL"
    " ORDER BY rowid"
)


def load(session: Session, facts: FactColumns, look_up: Callable[[], None], *, keep_last: bool) -> FirstFacts | None:
    if not is_empty(session.driver):
        return None
    ids = _find_or_make_terms(session, facts.texts)
    look_up()
    rows = facts.rows(ids, keep_last=keep_last)
    look_up()
    _load_rows(session.driver, look_up, rows, facts.source, now_ms())
    subjects = int(pc.count_distinct(rows["subject_id"]).as_py())
    return FirstFacts(ids, rows.num_rows, subjects, _by_predicate(rows), _denials(rows))


def is_empty(driver: Any) -> bool:
    return driver.execute("SELECT 1 FROM triples_triple LIMIT 1").fetchone() is None


@contextmanager
def ready_to_sort(session: Session) -> Iterator[None]:
    driver = session.driver
    before = {name: driver.execute(f"PRAGMA {name}").fetchone()[0] for name in _SORTING}
    _set(driver, _SORTING)
    try:
        yield
    finally:
        _set(driver, before)


def _find_or_make_terms(session: Session, texts: Sequence[str]) -> dict[str, int]:
    """The ids of the texts. On SQLite no other writer makes any meanwhile."""
    distinct = dict.fromkeys(texts)
    ids = session.find_terms(distinct)
    missing = sorted(distinct.keys() - ids.keys() if ids else distinct)
    return ids | session.insert_terms(missing)


def _load_rows(driver: Any, look_up: Callable[[], None], rows: pa.Table, source: Source, created_ms: int) -> None:
    """Insert sorted rows into an empty table."""
    indexes = driver.execute(_INDEXES).fetchall()
    for name, _ in indexes:
        driver.execute(f'DROP INDEX "{name}"')
    for start in range(0, rows.num_rows, _FACTS_AT_ONCE):
        part = rows.slice(start, _FACTS_AT_ONCE)
        load_columns(driver, [column.to_pylist() for column in part.columns], source, created_ms)
        look_up()
    for _, statement in indexes:
        driver.execute(statement)
        look_up()


def _by_predicate(rows: pa.Table) -> dict[int, int]:
    counted = pc.value_counts(rows["predicate_id"])
    return dict(zip(*(counted.field(name).to_pylist() for name in ("values", "counts")), strict=True))


def _denials(rows: pa.Table) -> list[Key]:
    """The keys of those with weight 0."""
    found = rows.filter(pc.equal(rows["weight"], 0)).select(KEY)
    return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


def _set(driver: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        # Some answer with the new value; what is not fetched would keep the statement open.
        driver.execute(f"PRAGMA {name} = {value}").fetchall()
