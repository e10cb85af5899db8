"""Writing the inferred facts on PostgreSQL, into a new table or into the current one."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pyarrow as pa
from django.db import connection

from triples.recursion.programs import Key, Proof
from triples.store.backend import Holder
from triples.store.inferred import hidden
from triples.store.inferred.arrow_batches import DERIVED, from_copy, to_copy
from triples.store.inferred.hiding import hide_anew
from triples.store.inferred.layout import (
    COLUMNS,
    FACTS,
    INDEXES,
    KEY,
    STATE,
    Progress,
    Types,
    facts_columns,
    index_names,
    rows_of,
)
from triples.store.inferred.state import State, write_state
from triples.store.postgresql.connections import connect
from triples.store.postgresql.dependents import PostgreSQLDependents
from triples.store.postgresql.table_locks import take_locks

# The name of a new table, and the suffix of its indexes' names, until it replaces the old table.
_NEW = f"{FACTS}_new"
_SUFFIX = "_new"
_PRIMARY_KEY = f"{FACTS}_pkey"
_TYPES = Types("BIGINT", "INTEGER", "DOUBLE PRECISION", "TEXT")
_CREATE = f"CREATE TABLE {_NEW} ({facts_columns(_TYPES)})"
# After the table is filled.
_ADD_KEY = f"ALTER TABLE {_NEW} ADD CONSTRAINT {_PRIMARY_KEY}{_SUFFIX} PRIMARY KEY ({', '.join(KEY)})"
# Frozen rows need no vacuum. Readers with an older snapshot see them; without FREEZE, they would see an empty table.
_COPY_IN = f"COPY {_NEW} ({', '.join(COLUMNS)}) FROM STDIN (FORMAT csv, FREEZE)"
_COPY_OUT = f"COPY (SELECT {', '.join(COLUMNS)} FROM {FACTS} ORDER BY {', '.join(KEY)}) TO STDOUT (FORMAT csv)"

# With this lock, no fact can be removed between the search for removed facts and the commit: see
# `Session.hold_inferred`. A writer that hides facts takes this lock before the other.
_CHANGING = (f"LOCK TABLE {hidden.FACTS} IN EXCLUSIVE MODE",)
# With this lock, no reader uses the table that is dropped.
_REPLACING = (*_CHANGING, f"LOCK TABLE {FACTS} IN ACCESS EXCLUSIVE MODE")

_REMOVE = (
    f"DELETE FROM {FACTS} AS f USING unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS k (s, p, o)"
    " WHERE f.subject_id = k.s AND f.predicate_id = k.p AND f.object_id = k.o"
)
_PUT = (
    f"INSERT INTO {FACTS} ({', '.join(COLUMNS)}) SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[],"
    " %s::float8[], %s::int[], %s::int[], %s::bigint[], %s::text[]) ON CONFLICT (subject_id, predicate_id, object_id)"
    " DO UPDATE SET weight = excluded.weight, depth = excluded.depth, rule = excluded.rule, free1 = excluded.free1,"
    " free_rest = excluded.free_rest"
)


def replace_all(rows: pa.RecordBatchReader, state: State, holder: Holder, progress: Progress) -> None:
    """Fill a new table with the sorted rows and replace the old one, in one transaction."""
    assert holder is not None
    indexes = index_names(state.program)
    steps = 1 + len(indexes)
    progress(0, steps)
    with holder.transaction():
        holder.execute("SET LOCAL maintenance_work_mem = '256MB'")
        holder.execute(_CREATE)
        with holder.cursor() as cursor, cursor.copy(_COPY_IN) as copy:
            for text in to_copy(rows):
                copy.write(text)
        holder.execute(_ADD_KEY)
        for done, name in enumerate(indexes, 1):
            progress(done, steps)
            holder.execute(_create_index(name))
        holder.execute(f"ANALYZE {_NEW}")
        take_locks(holder, _REPLACING)
        holder.execute(f"DROP TABLE {FACTS}")
        holder.execute(f"ALTER TABLE {_NEW} RENAME TO {FACTS}")
        for name in (_PRIMARY_KEY, *indexes):
            holder.execute(f"ALTER INDEX {name}{_SUFFIX} RENAME TO {name}")
        write_state(holder.execute, state, "%s")
        hide_anew(holder.execute, PostgreSQLDependents(holder, state.program), state)
    progress(steps, steps)


def apply(removed: Collection[Key], put: Mapping[Key, Proof], state: State, holder: Holder) -> None:
    """Change the table in one transaction."""
    assert holder is not None
    with holder.transaction():
        if removed:
            holder.execute(_REMOVE, _columns(sorted(removed)))
        if columns := _columns(rows_of(put)):
            holder.execute(_PUT, columns)
        write_state(holder.execute, state, "%s")
        take_locks(holder, _CHANGING)
        hide_anew(holder.execute, PostgreSQLDependents(holder, state.program), state)


def hide(state: State, holder: Holder) -> None:
    assert holder is not None
    with holder.transaction():
        take_locks(holder, _CHANGING)
        hide_anew(holder.execute, PostgreSQLDependents(holder, state.program), state)


def contents() -> pa.Table:
    """All rows."""
    with connect() as driver, driver.cursor() as cursor, cursor.copy(_COPY_OUT) as copy:
        return pa.Table.from_batches(from_copy(copy, DERIVED), DERIVED)


def discard() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {FACTS}, {STATE}")


def _create_index(name: str) -> str:
    """The CREATE INDEX statement. It appends the rest of the primary key, which SQLite does itself."""
    columns = [*INDEXES[name], *(column for column in KEY if column not in INDEXES[name])]
    return f"CREATE INDEX {name}{_SUFFIX} ON {_NEW} ({', '.join(columns)})"


def _columns(rows: Iterable[Iterable[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
