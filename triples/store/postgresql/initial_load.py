"""The initial load on PostgreSQL: all rows go by COPY into tables without indexes, which are built by sorting then.

To update the indexes row by row, and to check the foreign keys that facts had when this was measured, takes seven
times as long. Until the commit, readers and writers wait: that is why few facts are loaded so. COPY alone, with the
indexes in place, saves so little that all other slices go as arrays, which needs no staging table: deploy/SCALING.md
has the figures.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import errors

from triples.ids import now_ms
from triples.store.fact_columns import KEY, FactColumns
from triples.store.first_facts import FirstFacts, first_facts
from triples.store.inferred.arrow_batches import to_copy
from triples.store.postgresql.arrays import texts as text_array
from triples.store.postgresql.indexes import drop_indexes, rebuild
from triples.store.postgresql.term_blocks import INDEX
from triples.store.postgresql.term_index import hashes
from triples.store.sessions import IdRange, Session

# Fewer facts are not worth that others wait.
FEWEST_FACTS = 20_000
# They take a few seconds. An import gathers at most this many, and loses them if it is killed before the commit.
MOST_FACTS = 300_000

_TERMS_AT_ONCE = 10_000
_TABLES = ("triples_triple", INDEX)
# Whoever waits for one of the new terms is waited for here: this gives up before the server sees a deadlock, which is
# after a second, and the facts are loaded in slices.
_LOCK = (
    "SET LOCAL lock_timeout = 500",
    f"LOCK TABLE triples_term, {', '.join(_TABLES)} IN ACCESS EXCLUSIVE MODE",
    "SET LOCAL lock_timeout = 0",
)
_MAY_DROP = "SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM pg_class WHERE oid = ANY(%s::regclass[])"
_MAKE_TERMS = "INSERT INTO triples_term (text) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING RETURNING text, id"
_COPY_FACTS = (
    b"COPY triples_triple (subject_id, object_id, predicate_id, weight, metadata, source, created_at) FROM STDIN"
    b" (FORMAT csv)"
)
_COPY_TRIGRAMS = f"COPY {INDEX} (term_id, trigrams) FROM STDIN".encode()


def is_possible(driver: psycopg.Connection[Any]) -> bool:
    """True if there is no fact yet, and the tables are this user's own."""
    return is_empty(driver) and driver.execute(_MAY_DROP, [["triples_term", *_TABLES]]).fetchone() == (True,)


def is_empty(driver: psycopg.Connection[Any]) -> bool:
    return driver.execute("SELECT 1 FROM triples_triple LIMIT 1").fetchone() is None


def ready_to_sort(_session: Session) -> AbstractContextManager[None]:
    return nullcontext()


def load(session: Session, facts: FactColumns, _look_up: Callable[[], None], *, keep_last: bool) -> FirstFacts | None:
    driver = session.driver
    ids, made = _find_or_make_terms(session, facts.texts)
    trigrams = hashes(made)
    rows = facts.rows(ids, keep_last=keep_last)
    if not _locked(driver) or not is_empty(driver):
        return None
    statements = drop_indexes(driver, _TABLES)
    with driver.cursor() as cursor:
        with cursor.copy(_COPY_TRIGRAMS) as copy:
            for text, grams in zip(made, trigrams, strict=True):
                copy.write_row((ids[text], grams))
        with cursor.copy(_COPY_FACTS) as copy:
            for lines in to_copy(_columns(rows, int(facts.source)).to_batches()):
                copy.write(lines)
    for statement in statements:
        rebuild(driver, statement)
    # Nobody else could take an id meanwhile.
    new_ids = IdRange(*driver.execute("SELECT min(id), max(id) FROM triples_triple").fetchone())
    return first_facts(ids, rows, new_ids)


def _locked(driver: psycopg.Connection[Any]) -> bool:
    """Lock the tables until the transaction ends, if nobody else uses them for long."""
    try:
        with driver.transaction():
            for statement in _LOCK:
                driver.execute(statement.encode())
    except (errors.LockNotAvailable, errors.DeadlockDetected):
        return False
    return True


def _find_or_make_terms(session: Session, texts: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """The ids of the texts, and those of them that this transaction made terms. Their trigrams are not indexed yet."""
    ids: dict[str, int] = {}
    made: list[str] = []
    for part in _parts(sorted(set(texts))):
        found = session.find_terms(part)
        missing = [text for text in part if text not in found]
        new: dict[str, int] = dict(session.rows(_MAKE_TERMS, (text_array(missing),)))
        if len(new) < len(missing):
            # Another writer committed these meanwhile.
            found |= session.find_terms([text for text in missing if text not in new])
        ids |= found | new
        made += new
    return ids, made


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + _TERMS_AT_ONCE] for start in range(0, len(texts), _TERMS_AT_ONCE))


def _columns(rows: pa.Table, source: int) -> pa.Table:
    """The columns of the table of facts."""
    one_source = pa.repeat(pa.scalar(source, pa.int16()), rows.num_rows)
    moment = pa.repeat(pa.scalar(now_ms(), pa.int64()), rows.num_rows)
    table = rows.select([*KEY, "weight", "metadata"])
    return table.append_column("source", one_source).append_column("created_at", moment)
