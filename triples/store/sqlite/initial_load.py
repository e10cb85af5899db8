"""The initial load on SQLite: all rows are inserted first, then each index is built by sorting.

Sorting takes a quarter of the time that it takes to update an index row by row.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from triples.ids import now_ms
from triples.models import Source
from triples.store.fact_columns import FactColumns
from triples.store.first_facts import FirstFacts, first_facts
from triples.store.sessions import IdRange, Session
from triples.store.sqlite.session import load_columns

# Fewer facts are as fast row by row, which also leaves the prepared statements of other connections valid.
FEWEST_FACTS = 20_000
# An import gathers at most this many facts for it, and loses them if it is killed before the commit.
MOST_FACTS = 500_000

# The number of facts written between two checks for waiting writers.
_FACTS_AT_ONCE = 20_000
# An index is sorted in runs as large as SQLite's cache. Runs that fit into the processor's cache take two thirds of the
# time. A second thread that sorts one run while the next is gathered would take a third more of the processor's time.
_SORTING = {"temp_store": "FILE", "cache_size": -2000}

_LAST_ID = "SELECT seq FROM sqlite_sequence WHERE name = 'triples_triple'"
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
    last = int(session.driver.execute(_LAST_ID).fetchone()[0])
    new_ids = IdRange(last - rows.num_rows + 1, last)
    return first_facts(ids, rows, new_ids)


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
    """The ids of the texts, some of which become terms now. On SQLite, no other writer makes terms meanwhile."""
    distinct = set(texts)
    ids = session.find_terms(distinct)
    missing = sorted(distinct.difference(ids))
    # There may be a million, and most are new.
    del distinct
    made = session.insert_terms(missing)
    made.update(ids)
    return made


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


def _set(driver: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        # Some pragmas return the new value; unless it is fetched, the statement stays open.
        driver.execute(f"PRAGMA {name} = {value}").fetchall()
