"""Indexes and constraints that are dropped while a table is filled, and made again by sorting."""

from collections.abc import Sequence
from typing import Any

import psycopg

_CONSTRAINTS = (
    "SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('f', 'u')"
)
_INDEXES = (
    "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index AS i"
    " WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisprimary"
    " AND NOT EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid)"
)


def drop_indexes(driver: psycopg.Connection[Any], tables: Sequence[str]) -> list[str]:
    """Drop all but the primary keys. Returns the statements that make them again."""
    again: list[str] = []
    for name, statement in driver.execute(_INDEXES, [list(tables)]).fetchall():
        driver.execute(f"DROP INDEX {name}".encode())
        again.append(statement)
    found = driver.execute(_CONSTRAINTS, [list(tables)]).fetchall()
    # Foreign keys last: they need what they refer to.
    for name, table, definition in sorted(found, key=lambda row: row[2], reverse=True):
        driver.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'.encode())
        again.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    return again


def rebuild(driver: psycopg.Connection[Any], statement: str) -> None:
    """Run one of these statements, within a transaction."""
    driver.execute("SET LOCAL maintenance_work_mem = '256MB'")
    driver.execute(statement.encode())
